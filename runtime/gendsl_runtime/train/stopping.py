"""Whether members have met the condition in their `stop`: exact, and looked at no longer than needed.

An error is a number of examples, so every block of examples that was evaluated leaves an interval in which the
whole can still lie. A member is done as soon as its interval lies on one side of the bound. Early in a
training that takes one block; the block that decided last is evaluated first, because the examples that are
hard stay hard.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from gendsl.spec.operators import COMPARISONS
from gendsl_runtime.network import State
from gendsl_runtime.runs import BLOCK, mistakes
from gendsl_runtime.train.stack import Stack

TOGETHER = 1 << 17
"""Values of the inputs of the members that are evaluated together: fresh memory costs more than it holds."""
Condition = tuple[str, str, float]
"""Metric, comparison and bound."""


@dataclass
class Stopping:
    """The conditions of a stack, asked after each epoch."""

    first: int = 0
    """Where the block begins that is evaluated first."""

    def met(self, stack: Stack, rows: Sequence[int]) -> list[int]:
        """Which of these members have met their own condition, measured in evaluation mode on everything
        trained on."""
        conditions = {row: stop for row in rows if (stop := stack.members[row].stop) is not None}
        by_loss = [row for row, (metric, _, _) in conditions.items() if metric == "train_loss"]
        counted = [row for row in conditions if row not in by_loss]
        met = self._counted(stack, counted, conditions) if counted else []
        if by_loss:
            losses = stack.runs(by_loss).mean_loss("fit").tolist()
            for row, loss in zip(by_loss, losses, strict=True):
                _, comparison, bound = conditions[row]
                if COMPARISONS[comparison](loss, bound):
                    met.append(row)
        return sorted(met)

    @torch.no_grad()
    def _counted(self, stack: Stack, rows: Sequence[int], conditions: dict[int, Condition]) -> list[int]:
        examples = stack.feed.examples
        starts = range(0, examples, BLOCK)
        wrong, left, met = dict.fromkeys(rows, 0), examples, []
        state = State(stack.layout.views(stack.parameters), stack.buffers)
        for start in sorted(starts, key=lambda start: start != self.first):
            counts = self._wrong(stack, state, rows, start)
            left -= min(BLOCK, examples - start)
            is_open = {}
            for row, count in zip(rows, counts, strict=True):
                wrong[row] += count
                verdict = decided(conditions[row], wrong[row], left, examples)
                is_open[row] = verdict is None
                met += [row] if verdict else []
            rows = [row for row in rows if is_open[row]]
            if not rows:
                self.first = start
                break
        return met

    def _wrong(self, stack: Stack, state: State, rows: Sequence[int], start: int) -> list[int]:
        """How many examples of a block each member has wrong; of equal outputs the first one counts."""
        counts: list[int] = []
        width = max(1, TOGETHER // (BLOCK * stack.feed.inputs[0].numel()))
        for low in range(0, len(rows), width):
            some = rows[low : low + width]
            inputs, targets = stack.feed.block(some, start, BLOCK)
            own = state.select(some)
            outputs, _ = stack.network.apply(own.parameters, own.buffers, inputs, training=False)
            counts += mistakes(outputs, targets).sum(1).tolist()
        return counts


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
