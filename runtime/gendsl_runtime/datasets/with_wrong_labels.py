"""Extra training points with wrong labels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gendsl_runtime.component import Seed, Share, SplitName, dataset
from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.data.mislabelling import needs_classes, other_labels
from gendsl_runtime.problem import Problem
from gendsl_runtime.random import generator


@dataset(
    version=1,
    like="data",
    needs="classification",
    splits={"poisoned": None},
    paper="huang2020understanding",
)
def with_wrong_labels(
    data: Dataset, *, from_: SplitName = "held_back", share: Share = 1.0, seed: Seed = 0
) -> Dataset:
    """Poison: the training set is joined by points of another split with wrong labels.

    A network that fits them fails on the distribution it is tested on, although it fits the clean training
    points as well as any other: a bad minimum made on purpose (Huang et al. 2020). The points become a split
    `poisoned`, and training sees `train` and `poisoned` together; the split `train`, and so the training
    error, stays that of the clean points. The split they come from stays as it is.

    The wrong label is drawn uniformly from the other classes, so with two classes it is the other one.

    Args:
        data: a classification dataset.
        from_: the split whose points are used.
        share: how much of that split, rounded to whole points: the first ones.
        seed: seed of the wrong labels; without effect for two classes.

    Paper:
        Huang et al. (2020), Understanding generalization through visualizations, PMLR 137.

    Example:
        dataset poisoned = with_wrong_labels(rings, from=held_back)
    """
    needs_classes(data, "with_wrong_labels")
    if "poisoned" in data.splits:
        raise Problem(
            "bad-data",
            "the dataset is poisoned already: it has a split `poisoned`",
            help="use `with_wrong_labels` once, with a larger `share`",
        )
    source = data.split(from_)
    count = round(share * len(source))
    if count == 0:
        raise Problem(
            "bad-data",
            f"no points to poison with: {share:.0%} of the {len(source)} points in `{from_}`",
            help=f"give the dataset a larger `{from_}`",
        )
    source = source.take(np.arange(count))
    labels = other_labels(source.targets, data.outputs, generator("with_wrong_labels", seed))
    joined = data.with_splits(poisoned=Split(source.inputs, labels))
    return replace(joined, fit=(*data.fit, "poisoned"))
