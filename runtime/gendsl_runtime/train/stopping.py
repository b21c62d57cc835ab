"""Whether members have met the condition in their `stop`: exact, and looked at no longer than needed.

An error is a number of examples, so every block of examples that was evaluated leaves an interval in which the
whole can still lie. A member is done as soon as its interval lies on one side of the bound. Early in a
training that takes one block; the block that decided last is evaluated first, because the examples that are
hard stay hard.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from gendsl_runtime.network import State
from gendsl_runtime.runs import BLOCK, mistakes
from gendsl_runtime.train.conditions import decided, holds, of_loss
from gendsl_runtime.train.member import Condition
from gendsl_runtime.train.stack import Stack

TOGETHER = 1 << 17
"""Values of the inputs of the members that are evaluated together: fresh memory costs more than it holds."""


@dataclass
class Stopping:
    """The conditions of a stack, asked after each epoch."""

    first: int = 0
    """Where the block begins that is evaluated first."""

    def met(self, stack: Stack, rows: Sequence[int]) -> list[int]:
        """Which of these members have met their own condition, measured in evaluation mode on everything
        trained on."""
        conditions = {row: own for row in rows if (own := stack.members[row].conditions)}
        counts, losses = (
            {row: found for row, own in conditions.items() if (found := of_loss(own, is_loss))}
            for is_loss in (False, True)
        )
        met = [row for row in conditions if row not in counts]
        met += self._counted(stack, list(counts), counts) if counts else []
        # What fits too badly needs no loss.
        asked = sorted(row for row in met if row in losses)
        measured = stack.runs(asked).mean_loss("fit").tolist() if asked else []
        failed = {row for row, loss in zip(asked, measured, strict=True) if not holds(losses[row], loss)}
        return sorted(set(met) - failed)

    @torch.no_grad()
    def _counted(
        self, stack: Stack, rows: Sequence[int], conditions: Mapping[int, Sequence[Condition]]
    ) -> list[int]:
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
                verdicts = [decided(one, wrong[row], left, examples) for one in conditions[row]]
                is_open[row] = None in verdicts and False not in verdicts
                met += [row] if all(verdicts) else []
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
