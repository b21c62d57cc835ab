"""Datasets with nothing in them: the sizes of a real one, zeros for examples, and no memory."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

import torch

from gendsl_runtime.data import Dataset, Split, Task


def phantom(
    sizes: Mapping[str, int],
    *,
    task: Task,
    shape: tuple[int, ...],
    outputs: int,
    fit: tuple[str, ...] = ("train",),
    vocabulary: int | None = None,
    places: int | None = None,
) -> Dataset:
    """A dataset of zeros with so many examples in each split; of a labelling with so many places."""
    zero = torch.zeros((), dtype=torch.float32 if vocabulary is None else torch.int64)
    target = torch.zeros((), dtype=torch.float32 if task == "regression" else torch.int64)
    wide = {"classification": (), "labelling": (places or 1,), "regression": (outputs,)}[task]

    def split(size: int) -> Split:
        return Split(zero.expand(size, *shape), target.expand(size, *wide))

    splits = {name: split(size) for name, size in sizes.items()}
    return Dataset(splits, task, shape, outputs, fit=fit, vocabulary=vocabulary)


def outline(data: Dataset) -> Dataset:
    """What a dataset says of itself, without its examples."""
    sizes = {name: len(split) for name, split in data.splits.items()}
    return like(data, sizes, fit=data.fit)


def like(data: Dataset, sizes: Mapping[str, int], *, fit: tuple[str, ...]) -> Dataset:
    """A dataset of zeros with the examples of another and splits of its own."""
    return phantom(
        sizes,
        task=data.task,
        shape=data.shape,
        outputs=data.outputs,
        fit=fit,
        vocabulary=data.vocabulary,
        places=data.places,
    )


def held(data: Dataset) -> int:
    """Bytes that the examples of a dataset take, or would."""
    return sum(
        len(split)
        * (
            split.inputs.element_size() * prod(data.shape)
            + split.targets.element_size() * prod(split.targets.shape[1:])
        )
        for split in data.splits.values()
    )
