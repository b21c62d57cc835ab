"""Barriers between runs: linear mode connectivity."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np

from gendsl_runtime.component import Count, Flag, SplitName, analysis
from gendsl_runtime.measures.alignment import aligned
from gendsl_runtime.measures.pairs import apart, same_parameters
from gendsl_runtime.measures.paths import repaired_line, straight_line
from gendsl_runtime.random import generator
from gendsl_runtime.runs import Runs


@analysis(
    version=1,
    gives={
        "barrier": "1",
        "error_barrier": "1",
        "loss": "1 [position]",
        "error": "1 [position]",
        "distance": "1",
        "distance_before": "1",
    },
    shares=["error"],
    differences=["error_barrier"],
    axes={"position": "place on the line: 0 at the run, 1 at the other"},
    paper=[
        "frankle2020linear",
        "entezari2022role",
        "ainsworth2023git",
        "jordan2023repair",
    ],
)
def barrier(
    runs: Runs,
    *,
    other: Runs,
    on: SplitName = "train",
    points: Annotated[Count, "3..100000"] = 25,
    above: Literal["line", "mean", "worse"] = "line",
    align: Literal["none", "weights", "activations"] = "none",
    repair: Flag = False,
    statistics: Literal["reset", "own"] = "reset",
) -> dict[str, np.ndarray]:
    """How high the loss rises on the straight line between two runs of one architecture.

    With `L(t)` the mean training loss at `(1 - t) w + t v`, over evenly spaced t,

        line   max_t [L(t) - (1 - t) L(0) - t L(1)]    Entezari et al. 2022
        mean   max_t  L(t) - (L(0) + L(1)) / 2         Frankle et al. 2020: instability
        worse  max_t  L(t) - max(L(0), L(1))

    and `error_barrier` the same of the share of errors. Networks without a barrier are linearly mode connected.
    The maximum is over the points, so a lower bound of that over the line; both ends are among them, so `line` is
    never below 0.

    Hidden units can be permuted without changing a network; `align` takes the permutation of `other` out that hides
    how close it is (Ainsworth, Hayase and Srinivasa 2023): `weights` by coordinate descent on the inner product of
    weights (their algorithm 1), which finds a local optimum, `activations` by the largest sum of correlations of
    units over what the first run was trained on, layer by layer.
    Linear, convolution, norm and residual layers; channels of GroupNorm stay with their group.

    `repair` gives every unit behind a linear layer or convolution (the output layer excepted) the mean and standard
    deviation `(1 - t) s_0 + t s_1` of the two ends (REPAIR, Jordan et al. 2023), which averaged units lose;
    BatchNorm does that by itself once its statistics are those of the interpolated network: `statistics`, see
    `interpolation`. The two ends are never touched. Data, loss and split are those of the first run. Evaluation
    mode, no dropout; `error` is NaN in a regression.

    Args:
        other: the run at the other end.
        on: the split; `fit` is everything the run was trained on.
        points: places on the line, both ends among them.
        above: what the barrier is measured from.
        align: how hidden units of `other` are matched to those of the run before.
        repair: whether statistics of units are set between the ends.
        statistics: running statistics of BatchNorm between the ends: of the network there, or interpolated.

    Returns:
        `barrier` (units of the training loss), `error_barrier`; `loss`, `error` `(position)`; `distance`, Euclidean
        between all parameters after alignment, and before.
    """
    same_parameters(runs, other, "barrier")
    positions = np.linspace(0.0, 1.0, points)
    found = []
    for place in range(runs.members):
        member, partner = runs.select([place]), other.select([place])
        before = apart(member.state.parameters, partner.state.parameters)
        if align != "none":
            partner = aligned(member, partner, generator("barrier", runs.seeds[place]), by=align)
        after = apart(member.state.parameters, partner.state.parameters)
        if repair:
            losses, errors = repaired_line(member, partner, positions, on=on)
        else:
            losses, errors = straight_line(member, partner, positions, on=on, statistics=statistics)
        heights = [_height(values, positions, above) for values in (losses, errors)]
        found.append((*heights, losses, errors, after, before))
    names = ("barrier", "error_barrier", "loss", "error", "distance", "distance_before")
    columns = {name: np.stack(column) for name, column in zip(names, zip(*found, strict=True), strict=True)}
    return {**columns, "position": positions}


def _height(values: np.ndarray, positions: np.ndarray, above: str) -> float:
    first, last = values[0], values[-1]
    if above == "line":
        return float((values - (1 - positions) * first - positions * last).max())
    return float(values.max() - ((first + last) / 2 if above == "mean" else max(first, last)))
