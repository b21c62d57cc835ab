"""Representations of layers as measures take them: float64, of the first examples of a split."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gendsl_runtime.measures.layers import hidden
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Runs

Features = Mapping[str, Tensor]
"""For each layer `(members, features, examples)`, float64."""


def features(runs: Runs, inputs: Tensor) -> Features:
    """What each layer hands on (see `hidden`), in float64. The networks compute in their own precision."""
    return {name: value.double() for name, value in hidden(runs, inputs).items()}


def examples_of(runs: Runs, split: str, examples: int | None) -> Tensor:
    """The first inputs of a split `(members, N, *shape)`."""
    return runs.split(split)[0][:, :examples]


def sides(runs: Runs, other: Runs | None, split: str, examples: int | None) -> tuple[Features, Features]:
    """The layers of both runs on the same examples, those of the first; without another run the same twice."""
    inputs = examples_of(runs, split, examples)
    mine = features(runs, inputs)
    if other is None:
        return mine, mine
    if other.network.shape != runs.network.shape:
        shapes = [" x ".join(map(str, one.network.shape)) for one in (other, runs)]
        raise Problem(
            "wrong-shape",
            f"the other run takes examples of {shapes[0]} numbers, and these have {shapes[1]}",
            help="compare networks that take the same inputs",
        )
    return mine, features(other, inputs)


@dataclass(frozen=True)
class Pairs:
    """Numbers for every pair of layers."""

    values: Tensor
    """`(members, layers, other layers)`."""
    layers: np.ndarray
    others: np.ndarray


def prepared_pairs(
    left: Features,
    right: Features,
    prepare: Callable[[Tensor], Sequence[Tensor]],
    compare: Callable[..., Tensor],
) -> Pairs:
    """`compare(*prepared of one layer, *prepared of another)`, member by member.

    Args:
        prepare: takes the features of one member `(features, examples)`, once for each layer.
        compare: gives one number.
    """
    rows = []
    for member in range(len(next(iter(left.values())))):
        mine = [prepare(value[member]) for value in left.values()]
        theirs = mine if left is right else [prepare(value[member]) for value in right.values()]
        rows.append(torch.stack([torch.stack([compare(*one, *two) for two in theirs]) for one in mine]))
    return Pairs(torch.stack(rows), labels(left), labels(right))


def labels(of: Features) -> np.ndarray:
    """The names of layers as coordinates."""
    return np.array(list(of), dtype=np.str_)


def centred(values: Tensor) -> Tensor:
    """Features `(..., features, examples)` less their means over examples."""
    return values - values.mean(-1, keepdim=True)
