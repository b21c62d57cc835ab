"""One training, fully said: what the engine needs to know about a member of a stack."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from gendsl.spec import Component
from gendsl_runtime.data import Dataset
from gendsl_runtime.length import Length
from gendsl_runtime.network import State

Condition = tuple[str, str, float]
"""Metric, comparison and bound: `("train_error", "==", 0.0)`."""


@dataclass(frozen=True)
class Member:
    """One training run. Members with one data digest share their data in memory."""

    data: Dataset
    data_digest: bytes
    model: Component
    optimizer: Component
    loss: Component
    budget: Length
    batch: int | None = None
    """Examples a step; None is the whole training set, in its own order."""
    stop: Condition | tuple[Condition, ...] | None = None
    """Looked at after every whole epoch; of several all must hold at once."""
    checkpoints: Sequence[int | Length] = ()
    """Epochs whose state is kept; 0 is the state before training."""
    init: State | None = None
    """A state (M = 1) to start from in place of fresh weights."""
    seed: int = 0

    @cached_property
    def examples(self) -> int:
        """Examples trained on."""
        return sum(len(self.data.splits[name]) for name in self.data.fit)

    @property
    def batch_size(self) -> int:
        return self.examples if self.batch is None else min(self.batch, self.examples)

    @cached_property
    def steps_per_epoch(self) -> int:
        return math.ceil(self.examples / self.batch_size)

    @cached_property
    def steps(self) -> int:
        """Steps of the whole budget."""
        return self.budget.steps(self.steps_per_epoch)

    @cached_property
    def conditions(self) -> tuple[Condition, ...]:
        """What must hold for the training to stop; empty where nothing stops it."""
        if self.stop is None:
            return ()
        return (self.stop,) if isinstance(self.stop[0], str) else self.stop

    @cached_property
    def kept_epochs(self) -> tuple[int, ...]:
        """Epochs of the checkpoints, ascending."""
        return tuple(sorted({int(e.value) if isinstance(e, Length) else int(e) for e in self.checkpoints}))
