"""How a training ends: fitted, or diverged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from gendsl_runtime.network import State


@dataclass(frozen=True)
class Fitted:
    """One trained member; states have M = 1 and lie on the CPU."""

    state: State
    history: Mapping[str, Tensor]
    """`epoch` (int64), `train_loss`, `train_error` (float64), each `(epochs,)`; see `train/loop.py`."""
    steps: int
    epochs: int
    """Epochs begun."""
    status: Literal["budget", "stopped"]
    checkpoints: Mapping[int, State]
    """State after each epoch asked for; a run that ended earlier stays where it ended."""


@dataclass(frozen=True)
class Diverged:
    """A member whose loss or parameters are no longer finite, or a search that found nothing: `step` counts from 1."""

    step: int
    reason: str
    code: str = "diverged"
    """`diverged` or `nothing-found`: of the explanation."""

    @property
    def told(self) -> str:
        """What is said of it."""
        return f"diverged at step {self.step}: {self.reason}" if self.code == "diverged" else self.reason
