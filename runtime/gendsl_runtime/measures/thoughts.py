"""Networks that think, as analyses see them."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from gendsl_runtime.data import NO_LABEL
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Runs
from gendsl_runtime.train.thinking import Thinking


class Judged(NamedTuple):
    """Counts in float64, `(members,)` each."""

    examples: Tensor
    """Examples of which every place asked about is right."""
    places: Tensor
    """Places that are right."""
    asked: Tensor
    """Places asked about."""


def judged(outputs: Tensor, targets: Tensor) -> Judged:
    """Answers `(members, classes, places, examples)` against labels `(members, examples, places)`.

    An answer that is not a number, as of a memory that grew without bounds, is wrong; torch would take it for a class.
    """
    labels = targets.movedim(-1, 1)
    asked = labels != NO_LABEL
    largest, found = outputs.max(1)
    right = (found == labels) & ~largest.isnan()
    return Judged(
        (right | ~asked).all(1).double().sum(1),
        (right & asked).double().sum((1, 2)),
        asked.double().sum((1, 2)),
    )


def thinking(runs: Runs, iterations: int) -> Thinking:
    """The network of the runs. Raises Problem where it cannot make so many iterations."""
    network = runs.network
    if not isinstance(network, Thinking):
        raise Problem(
            "not-iterated",
            "this network has no block that is applied again and again",
            help="use `deep_thinking`",
        )
    if not network.is_tied and iterations > network.iterations:
        raise Problem(
            "not-iterated",
            f"a network of {network.iterations} untied iterations cannot make {iterations}",
            help=f"write `iterations={network.iterations}`, or `tied = true` in the model",
        )
    return network
