"""A dataset in memory: named splits of inputs and targets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, cast

import numpy as np
import torch
from torch import Tensor

from gendsl_runtime.problem import Problem
from gendsl_runtime.store.payload import pack, unpack

Task = Literal["classification", "labelling", "regression"]
"""`classification`: a class for each example; `labelling`: one for each place of an example."""
NO_LABEL = -1
"""Stands at places of a labelling that are not asked about."""


@dataclass(frozen=True)
class Split:
    """Examples: `inputs` float32 `(examples, *shape)`, or int64 `(examples, steps)` for tokens; `targets` int64
    `(examples,)` for classes, `(examples, places)` for a labelling (-1 where nothing is asked), float32 `(examples,
    outputs)` for a regression."""

    inputs: Tensor
    targets: Tensor
    places: Tensor | None = None
    """Where each example lies in the split `whole`, int64 `(examples,)`, of a split that was drawn from that one
    (`subset`). A split that is made anew loses them: a measure that needs to know then says so."""

    def __len__(self) -> int:
        return len(self.inputs)

    def take(self, examples: np.ndarray | Tensor) -> Split:
        """Some of the examples, by their places, in that order."""
        places = torch.as_tensor(examples, dtype=torch.int64)
        return Split(
            self.inputs.index_select(0, places),
            self.targets.index_select(0, places),
            None if self.places is None else self.places.index_select(0, places),
        )


@dataclass(frozen=True)
class Dataset:
    """Named splits that share task and shape. Training sees the splits in `fit`, analyses any split by name.

    A split that was asked for with no examples is not there.

    `fit` is longer than `("train",)` where points are added for training only (`with_wrong_labels`), so that
    training error and test error keep being measured on the same clean points.

    With a `vocabulary` an example is a sequence of tokens, each from 0 to `vocabulary - 1`.
    """

    splits: Mapping[str, Split]
    task: Task
    shape: tuple[int, ...]
    outputs: int
    fit: tuple[str, ...] = ("train",)
    vocabulary: int | None = None

    def split(self, name: str) -> Split:
        """A split by name; `fit` is everything trained on, in order. Raises Problem for an unknown name."""
        if name != "fit":
            if name not in self.splits:
                raise Problem(
                    "unknown-split",
                    f"the dataset has no split `{name}`",
                    help=f"its splits are {', '.join(f'`{known}`' for known in self.splits)}",
                )
            return self.splits[name]
        if len(self.fit) == 1:
            return self.split(self.fit[0])
        parts = [self.splits[part] for part in self.fit]
        return Split(torch.cat([p.inputs for p in parts]), torch.cat([p.targets for p in parts]))

    @property
    def places(self) -> int | None:
        """Places of an example of a labelling."""
        return self.split(self.fit[0]).targets.shape[1] if self.task == "labelling" else None

    def with_splits(self, **splits: Split) -> Dataset:
        """The same dataset with these splits replaced or added."""
        return replace(self, splits={**self.splits, **splits})

    def pack(self) -> bytes:
        """The dataset as bytes for the store: equal datasets give equal bytes."""
        arrays = {}
        for name, split in self.splits.items():
            arrays[f"{name}.inputs"] = split.inputs.numpy()
            arrays[f"{name}.targets"] = split.targets.numpy()
            if split.places is not None:
                arrays[f"{name}.places"] = split.places.numpy()
        return pack(
            arrays,
            {
                "task": self.task,
                "shape": " ".join(map(str, self.shape)),
                "outputs": str(self.outputs),
                "splits": " ".join(self.splits),
                "fit": " ".join(self.fit),
                **({} if self.vocabulary is None else {"vocabulary": str(self.vocabulary)}),
            },
        )

    @classmethod
    def unpack(cls, content: bytes) -> Dataset:
        """The dataset that `pack` made the bytes of."""
        arrays, metadata = unpack(content)
        splits = {
            name: Split(
                torch.from_numpy(arrays[f"{name}.inputs"]),
                torch.from_numpy(arrays[f"{name}.targets"]),
                torch.from_numpy(arrays[f"{name}.places"]) if f"{name}.places" in arrays else None,
            )
            for name in metadata["splits"].split()
        }
        return cls(
            splits,
            task=cast(Task, metadata["task"]),
            shape=tuple(map(int, metadata["shape"].split())),
            outputs=int(metadata["outputs"]),
            fit=tuple(metadata["fit"].split()),
            vocabulary=int(metadata["vocabulary"]) if "vocabulary" in metadata else None,
        )

    def checked(self, component: str) -> Dataset:
        """The dataset itself, if everything it says of itself is true; raises Problem otherwise."""
        for name in self.fit:
            if not len(self.splits.get(name, ())):
                raise _fault(component, f"has no examples to train on in its split `{name}`")
        for name, split in self.splits.items():
            fault = self._shape_fault(split) or self._value_fault(split)
            if fault:
                raise _fault(component, f"has a split `{name}` {fault}")
        return self

    def _shape_fault(self, split: Split) -> str | None:
        inputs, targets = split.inputs, split.targets
        if self.vocabulary is not None:
            if inputs.dtype != torch.int64 or inputs.ndim != 2:
                return f"whose tokens are {_named(inputs)}, not int64 `(examples, steps)`"
        elif inputs.dtype != torch.float32:
            return f"whose inputs are {_named(inputs)}, not float32"
        if tuple(inputs.shape[1:]) != self.shape:
            return f"whose examples have the shape {tuple(inputs.shape[1:])}, not {self.shape}"
        if len(inputs) != len(targets):
            return f"of {len(inputs)} inputs and {len(targets)} targets"
        if self.task == "classification":
            is_fine = targets.dtype == torch.int64 and targets.ndim == 1
            return None if is_fine else f"whose labels are {_named(targets)}, not int64 `(examples,)`"
        if self.task == "labelling":
            is_fine = targets.dtype == torch.int64 and targets.ndim == 2
            trained = self.splits[self.fit[0]].targets
            if is_fine and trained.ndim == 2 and targets.shape[1] != trained.shape[1]:
                return f"with labels for {targets.shape[1]} places; those trained on have {trained.shape[1]}"
            return None if is_fine else f"whose labels are {_named(targets)}, not int64 `(examples, places)`"
        is_fine = targets.dtype == torch.float32 and tuple(targets.shape[1:]) == (self.outputs,)
        return (
            None
            if is_fine
            else f"whose targets are {_named(targets)}, not float32 `(examples, {self.outputs})`"
        )

    def _value_fault(self, split: Split) -> str | None:
        if self.vocabulary is not None:
            strange = split.inputs[(split.inputs < 0) | (split.inputs >= self.vocabulary)]
            if len(strange):
                return f"with the token {int(strange[0])}; tokens are 0 to {self.vocabulary - 1}"
        finite = split.inputs.flatten(1).isfinite().all(1) if len(split) else torch.ones(0, dtype=torch.bool)
        if not finite.all():
            return f"whose example {int(finite.int().argmin())} is not finite (NaN or infinite)"
        if self.task == "regression":
            return (
                None
                if split.targets.isfinite().all()
                else "with a target that is not finite (NaN or infinite)"
            )
        least = NO_LABEL if self.task == "labelling" else 0
        wrong = split.targets[(split.targets < least) | (split.targets >= self.outputs)]
        if len(wrong):
            return f"with the label {int(wrong[0])}; labels are 0 to {self.outputs - 1}"
        return None


def _named(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} {tuple(tensor.shape)}"


def _fault(component: str, what: str) -> Problem:
    return Problem("bad-data", f"`{component}` {what}")
