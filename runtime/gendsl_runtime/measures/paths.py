"""Loss and error along straight lines between two networks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from gendsl_runtime.measures.points import Heights, combined, evaluated, heights
from gendsl_runtime.measures.restate import Moments, Statistics, corrections, observed, repaired
from gendsl_runtime.network import State
from gendsl_runtime.runs import Runs
from gendsl_runtime.train.layers.norm import EPSILON


def straight_line(
    member: Runs, other: Runs, positions: np.ndarray, *, on: str, statistics: Statistics
) -> tuple[np.ndarray, np.ndarray]:
    """Losses and errors `(positions,)` from one network to another; both ends keep their own statistics."""
    table = np.stack([1 - positions, positions], axis=1)
    terms = (member.state, other.state)
    is_end = np.isin(positions, (0.0, 1.0))
    losses, errors = np.empty(len(positions)), np.empty(len(positions))
    for rows, how in ((is_end, "own"), (~is_end, statistics)):
        if rows.any():
            found = heights(member, terms, table[rows], on=on, statistics="own" if how == "own" else "reset")
            losses[rows], errors[rows] = found.loss, found.error
    return losses, errors


def repaired_line(
    member: Runs, other: Runs, positions: np.ndarray, *, on: str
) -> tuple[np.ndarray, np.ndarray]:
    """The same with REPAIR between the ends (Jordan et al. 2023): means and deviations of units are interpolated.

    Statistics are those of everything the first run was trained on.
    """
    ends = [corrections(member), corrections(replace(member, state=other.state))]
    seen = [_deviations(observed(end)) for end in ends]
    found = []
    for position in positions:
        row = torch.tensor([[1 - position, position]], dtype=torch.float64)
        parts = ([end.state.parameters for end in ends], [end.state.buffers for end in ends])
        stack = replace(ends[0], state=State(*(combined(part, row) for part in parts)))
        if position not in (0.0, 1.0):
            targets = {
                name: tuple(
                    (1 - position) * a + position * b
                    for a, b in zip(seen[0][name], seen[1][name], strict=True)
                )
                for name in seen[0]
            }
            stack = repaired(stack, targets)
        found.append(evaluated(stack, on))
    return _joined(found)


def _deviations(seen: dict[str, Moments]) -> dict[str, Moments]:
    """Means and standard deviations, with what normalisation adds to variances."""
    return {name: (mean, (variance + EPSILON).sqrt()) for name, (mean, variance) in seen.items()}


def _joined(found: list[Heights]) -> tuple[np.ndarray, np.ndarray]:
    losses, errors = (
        np.concatenate(column) for column in zip(*((one.loss, one.error) for one in found), strict=True)
    )
    return losses, errors
