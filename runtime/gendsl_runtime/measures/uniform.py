"""What uniform convergence needs to know of a network: its layers as norms, and costs of choosing constants late."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gendsl_runtime.measures.norms import STEEPEST, maps
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Runs
from gendsl_runtime.train.layers.activation import Pointwise
from gendsl_runtime.train.layers.conv import Conv
from gendsl_runtime.train.layers.dropout import Dropout
from gendsl_runtime.train.layers.layer import Layered
from gendsl_runtime.train.layers.linear import NTK_BIAS, Flatten, Linear
from gendsl_runtime.train.layers.pool import Pool

GRID = 2 ** (1 / 8)
"""Constants that are chosen after the data are rounded to powers of this number, to the worse side."""
ALL = math.pi**2 / 3 - 1
"""`sum over whole k of 1 / (|k| + 1)^2`: what makes the costs a distribution over powers."""
LINEAR_PIECES = {"relu": 2, "leaky_relu": 2, "identity": 1}
"""Pieces of the activations that are piecewise linear; all are positively homogeneous."""


@dataclass(frozen=True)
class Norms:
    """One layer as a map of `(h, 1)`, whose last row hands the 1 on: biases are weights."""

    spectral: float
    """A bound of the largest singular value: that of `[[|W|, |b|], [0, 1]]`."""
    rows: float
    """Sum of the lengths of the rows, the last one left out (it is that of the reference matrix)."""
    frobenius: float


def layer_norms(runs: Runs, *, measure: str, activations: frozenset[str] | None = None) -> list[list[Norms]]:
    """For each member the norms of its layers, of convolutions as operators on images of their actual size.

    Raises Problem for networks that are more than dense layers, convolutions, pooling and activations that are 0 at 0
    and have a steepest slope; with `activations`, other ones.
    """
    allowed = frozenset(STEEPEST) - {"cos"} if activations is None else activations
    parts = runs.network.layers if isinstance(runs.network, Layered) else (None,)
    fine = (Flatten, Linear, Conv, Pool, Dropout)
    for part in parts:
        if isinstance(part, Pointwise) and part.name in allowed:
            continue
        if not isinstance(part, fine):
            raise Problem(
                "not-a-dense-network",
                f"`{measure}` has no proof for this network",
                help=f"use `mlp`, `deep_linear` or `cnn` without norms and skips, and with one of {_words(allowed)}",
            )
    layers = {part.name: part for part in parts if isinstance(part, Linear | Conv)}
    return [
        [_norms(runs, layers[one.name], member, one.spectral()[0], one.rows().numpy()) for one in own]
        for member, own in enumerate(maps(runs))
    ]


def no_max_pooling(runs: Runs, *, measure: str) -> None:
    """Refuses networks with max pooling: where single functions of a unit are counted or contracted, the largest of
    several is neither a piece nor a contraction."""
    parts = runs.network.layers if isinstance(runs.network, Layered) else ()
    if any(isinstance(part, Pool) and part.kind == "max" for part in parts):
        raise Problem(
            "not-a-dense-network",
            f"`{measure}` has no proof for what max pooling can do",
            help="write `pool = average`",
        )


def _words(names: frozenset[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))


def _norms(runs: Runs, layer: Linear | Conv, member: int, spectral: float, rows: np.ndarray) -> Norms:
    places = np.zeros(len(rows))
    if layer.bias:
        scale = NTK_BIAS if isinstance(layer, Linear) and layer.parametrisation == "ntk" else 1.0
        bias = runs.state.parameters[f"{layer.name}.bias"][member].double().cpu().numpy() * scale
        places = np.repeat(bias, len(rows) // len(bias))
    block = np.array([[spectral, float(np.linalg.norm(places))], [0.0, 1.0]])
    lengths = np.sqrt(rows**2 + places**2)
    return Norms(
        float(np.linalg.norm(block, 2)), float(lengths.sum()), math.sqrt(float((lengths**2).sum()) + 1)
    )


def steepness(runs: Runs) -> float:
    """The product over activations of their largest slopes, each at least 1 (the constant is handed on as it is);
    infinite where there is none, in networks that `layer_norms` refuses."""
    parts = runs.network.layers if isinstance(runs.network, Layered) else ()
    return math.prod(
        max(1.0, STEEPEST.get(part.name, math.inf)) for part in parts if isinstance(part, Pointwise)
    )


def rounded(value: float, *, up: bool) -> tuple[float, float]:
    """A positive number rounded to a power of `GRID`, and what it costs to have chosen the power, in nats."""
    power = math.log(value) / math.log(GRID)
    whole = math.ceil(power) if up else math.floor(power)
    return GRID**whole, math.log(ALL) + 2 * math.log(abs(whole) + 1)
