"""The conditions of a `stop`: what they are about, and whether they hold."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from gendsl.spec.operators import COMPARISONS
from gendsl_runtime.runs import Runs
from gendsl_runtime.train.member import Condition


def of_loss(conditions: Sequence[Condition], is_loss: bool) -> tuple[Condition, ...]:
    """Those of the conditions that are about the loss, or those that are about how many examples are wrong."""
    return tuple(one for one in conditions if (one[0] == "train_loss") == is_loss)


def holds(conditions: Sequence[Condition], measured: float) -> bool:
    """Whether a number meets all conditions on it."""
    return all(COMPARISONS[comparison](measured, bound) for _, comparison, bound in conditions)


def decided(condition: Condition, wrong: int, left: int, examples: int) -> bool | None:
    """Whether a condition holds when `wrong` examples are known to be wrong and `left` are not known; None if
    that depends on them."""
    metric, comparison, bound = condition
    counts = (wrong, wrong + left)
    if metric == "train_accuracy":
        counts = (examples - counts[1], examples - counts[0])
    low, high = (count / examples for count in counts)
    ends = COMPARISONS[comparison](low, bound), COMPARISONS[comparison](high, bound)
    if comparison in ("==", "!=") and low < bound < high:
        return None
    return ends[0] if ends[0] == ends[1] else None


def met(runs: Runs, conditions: Sequence[Condition]) -> Tensor:
    """The members that meet all conditions, ascending, in evaluation mode on everything trained on.

    Errors come first, and losses are taken of those alone whose errors do.
    """
    found = torch.arange(runs.members)
    for metric, comparison, bound in of_loss(conditions, False) + of_loss(conditions, True):
        measure = {"train_error": runs.error, "train_accuracy": runs.accuracy, "train_loss": runs.mean_loss}
        places = COMPARISONS[comparison](measure[metric]("fit"), bound).nonzero()[:, 0].cpu()
        found = found[places]
        if not len(found):
            break
        if len(found) < runs.members:
            runs = runs.select(places.tolist())
    return found
