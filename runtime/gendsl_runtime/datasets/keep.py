"""A part of the training set."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch

from gendsl_runtime.component import Scores, Seed, Share, dataset
from gendsl_runtime.data import Dataset
from gendsl_runtime.problem import Problem
from gendsl_runtime.random import generator


@dataset(version=1, like="data", splits={"train": None}, paper="paul2021deep")
def keep(
    data: Dataset,
    *,
    share: Share,
    by: Scores | None = None,
    side: Literal["top", "bottom"] = "top",
    seed: Seed = 0,
) -> Dataset:
    """A share of the training set: highest or lowest scores, or at random.

    Of n examples `round(share * n)` are kept, in their old order, so the size depends on neither scores nor
    seeds. Without scores the examples are drawn at random; with one `seed` a larger share holds every smaller
    one. Of equal scores the earlier examples are kept.

    Args:
        data: any dataset.
        share: how much is kept, above 0 to 1.
        by: one score for each training example, `(examples,)`, from an analysis.
        side: whether the highest or the lowest scores are kept; without effect for a random part.
        seed: seed of a random part; without effect where scores choose.

    Paper:
        Paul, Ganguli and Dziugaite (2021), Deep learning on a data diet: finding important examples early in
        training, NeurIPS.

    Example:
        dataset half = keep(digits, by=scores.el2n, share=50%)
    """
    split = data.split("train")
    count = round(share * len(split))
    if count == 0:
        raise Problem(
            "bad-data",
            f"`keep` leaves nothing: {share:.2%} of the {len(split)} training examples",
            help="raise `share`",
        )
    if by is None:
        order = generator("keep", seed).permutation(len(split))
    else:
        scores = _scores(by, len(split))
        order = np.argsort(-scores if side == "top" else scores, kind="stable")
    return data.with_splits(train=split.take(np.sort(order[:count])))


def _scores(by: Scores, examples: int) -> np.ndarray:
    scores = torch.as_tensor(by).double().numpy()
    if scores.shape != (examples,):
        found = " x ".join(map(str, scores.shape)) or "a single number"
        raise Problem(
            "bad-data",
            f"`keep` needs one score for each of the {examples} training examples, found {found}",
            help="score the training set of the same dataset",
        )
    if not np.isfinite(scores).all():
        raise Problem(
            "bad-data",
            f"{int((~np.isfinite(scores)).sum())} of the {examples} scores given to `keep` are not finite",
            help="look at the run that the scores come from",
        )
    return scores
