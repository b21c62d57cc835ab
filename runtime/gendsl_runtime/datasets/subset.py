"""A random part of the training set, beside the whole of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from gendsl_runtime.component import Seed, Share, dataset
from gendsl_runtime.data import Dataset
from gendsl_runtime.problem import Problem
from gendsl_runtime.random import generator


@dataset(
    version=1,
    like="data",
    splits={"train": None, "whole": None},
    paper=["feldman2020what", "blier2018description"],
)
def subset(data: Dataset, *, share: Share = 0.7, seed: Seed = 0) -> Dataset:
    """A random share of the training set to train on, and the whole of it as the split `whole`.

    Of n examples `round(share * n)` become the training set, in their old order; the split `whole` holds all
    n, so that a run can be looked at on examples that it has not seen, and runs on different parts on the
    same examples. Each training example knows its place in `whole`: `memorisation` and `influence` compare
    runs with and without an example, with `seed = seed` (Feldman and Zhang 2020, who take 70%). With one
    `seed` a larger share holds every smaller one, so a sweep of shares is a sequence of growing data sets for
    `prequential` (Blier and Ollivier 2018). Change inputs and labels before, not after:
    `subset(with_label_noise(digits, share=20%))`.

    Args:
        data: any dataset without a split `whole`.
        share: how much is trained on, above 0 to 1.
        seed: seed of the part; `seed = seed` draws another for every replicate.

    Papers:
        Feldman and Zhang (2020), What neural networks memorize and why, NeurIPS. Blier and Ollivier (2018),
        The description length of deep learning models, NeurIPS.

    Example:
        dataset part = subset(digits, share=70%, seed=seed)
    """
    if "whole" in data.splits:
        raise Problem(
            "bad-data",
            "the dataset has a split `whole` already",
            help="use `subset` once, with another `share`",
        )
    split = data.split("train")
    count = round(share * len(split))
    if count == 0:
        raise Problem(
            "bad-data",
            f"`subset` leaves nothing: {share:.2%} of the {len(split)} training examples",
            help="raise `share`",
        )
    order = generator("subset", seed).permutation(len(split))
    whole = replace(split, places=torch.arange(len(split)))
    return data.with_splits(train=whole.take(np.sort(order[:count])), whole=whole)
