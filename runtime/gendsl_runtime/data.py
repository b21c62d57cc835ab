"""A dataset in memory: named splits of inputs and targets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

Task = Literal["classification", "regression"]


@dataclass(frozen=True)
class Split:
    """`inputs` is float32 `(examples, *shape)`; `targets` is int64 `(examples,)` or float32 `(examples, outputs)`."""

    inputs: Tensor
    targets: Tensor

    def __len__(self) -> int:
        return len(self.inputs)


@dataclass(frozen=True)
class Dataset:
    """Named splits that share task and shape. Training sees the splits in `fit`, analyses any split by name.

    `fit` is longer than `("train",)` where points are added for training only (`with_wrong_labels`), so that
    training error and test error keep being measured on the same clean points.
    """

    splits: Mapping[str, Split]
    task: Task
    shape: tuple[int, ...]
    outputs: int
    fit: tuple[str, ...] = ("train",)

    def split(self, name: str) -> Split:
        """A split by name; `fit` is everything trained on, in order."""
        if name != "fit":
            return self.splits[name]
        if len(self.fit) == 1:
            return self.splits[self.fit[0]]
        parts = [self.splits[part] for part in self.fit]
        return Split(torch.cat([p.inputs for p in parts]), torch.cat([p.targets for p in parts]))

    def with_splits(self, **splits: Split) -> Dataset:
        """The same dataset with these splits replaced or added."""
        return replace(self, splits={**self.splits, **splits})
