"""Labels without any relation to the inputs."""

from __future__ import annotations

import numpy as np

from gendsl_runtime.component import Seed, Share, SplitName, dataset
from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.random import generator


@dataset(version=1, like="data", paper="zhang2017understanding")
def shuffled_labels(data: Dataset, *, share: Share = 1.0, on: SplitName = "train", seed: Seed = 0) -> Dataset:
    """The training targets in random order: what is learned from them holds for nothing new.

    Targets are permuted, not drawn, so every class keeps its size and a regression keeps its distribution of
    targets; some examples keep their own label by chance (one in ten for ten equal classes). The test set
    keeps its true targets, on which a network can be no better than chance.

    Args:
        data: any dataset.
        share: how much of the split is shuffled, 0 to 1, rounded to whole examples at random places.
        on: the split that is shuffled.
        seed: seed of the order; `seed = seed` draws it anew for every replicate.

    Paper:
        Zhang et al. (2017), Understanding deep learning requires rethinking generalization, ICLR.

    Example:
        dataset random = shuffled_labels(digits, seed=seed)
    """
    split = data.split(on)
    chance = generator("shuffled_labels", seed)
    places = chance.permutation(len(split))[: round(share * len(split))]
    source = np.arange(len(split))
    source[places] = chance.permutation(places)
    return data.with_splits(**{on: Split(split.inputs, split.take(source).targets)})
