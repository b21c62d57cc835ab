"""How a table of examples is cut into splits, and how inputs are standardised."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.problem import Problem
from gendsl_runtime.random import generator


def parts(
    examples: int, *, train: int, held_back: int, test: int, seed: int, source: str
) -> dict[str, np.ndarray]:
    """Places of the examples of each split, disjoint, in the order of one permutation drawn from `seed`.

    `train` is taken from the front of the permutation, `test` from its end and `held_back` before it: a
    larger training set holds every smaller one, and the test set stays the same.
    """
    asked = train + held_back + test
    if asked > examples:
        raise Problem(
            "bad-data",
            f"`{source}` has {examples} examples, and the splits ask for {asked} "
            f"({train} train, {held_back} held_back, {test} test)",
            help=f"ask for at most {examples} in all",
        )
    order = generator("split", seed).permutation(examples)
    end = examples - test
    return {"train": order[:train], "held_back": order[end - held_back : end], "test": order[end:]}


def cut(
    inputs: np.ndarray, targets: np.ndarray, places: Mapping[str, np.ndarray], *, is_tokens: bool = False
) -> dict[str, Split]:
    """The splits that are not empty, from inputs `(examples, *shape)` and targets `(examples, ...)`."""
    whole = Split(
        torch.from_numpy(np.ascontiguousarray(inputs, dtype=np.int64 if is_tokens else np.float32)),
        torch.from_numpy(np.ascontiguousarray(targets, dtype=np.int64 if targets.ndim == 1 else np.float32)),
    )
    return {name: whole.take(examples) for name, examples in places.items() if len(examples)}


def standard(data: Dataset, *, by_channel: bool = False) -> Dataset:
    """Every input coordinate minus its mean over `train`, over its standard deviation there.

    `(x - mean) / std` with the population standard deviation (divided by n), computed in float64; a
    coordinate that is constant in `train` is only centred. The other splits get the same mean and deviation.
    `by_channel`: one mean and deviation for all pixels of a channel, or for all coordinates of a vector.
    """
    train = data.split("train").inputs.double()
    axes = [0, *range(1 if len(data.shape) < 3 else 2, train.ndim)] if by_channel else [0]
    mean = train.mean(axes, keepdim=True)
    deviation = train.std(axes, correction=0, keepdim=True)
    # A constant column can have a tiny deviation from rounding alone.
    floor = 1e-12 * train.abs().amax(axes, keepdim=True)
    deviation = torch.where(deviation > floor, deviation, 1.0)

    def scaled(inputs: Tensor) -> Tensor:
        return ((inputs.double() - mean) / deviation).float()

    return data.with_splits(
        **{name: Split(scaled(split.inputs), split.targets) for name, split in data.splits.items()}
    )
