"""What the steps of an epoch saw: the loss of every example, and whether it was classified wrongly."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

PENDING = 1 << 17
"""Outputs looked at together: many small steps at once, few enough to stay in the nearest cache."""


@dataclass
class Record:
    """The record of one stretch of an epoch, written into tables from a place on."""

    losses: Tensor
    """`(M, N)`, in the order seen."""
    wrong: Tensor | None
    """`(M, N)`; None for a regression."""
    place: int
    """Examples of the epoch that are written."""
    _seen: list[tuple[Tensor, Tensor, Tensor]] = field(default_factory=list)
    _pending: int = 0

    def add(self, outputs: Tensor, losses: Tensor, targets: Tensor) -> None:
        """Remember a step: outputs `(M, C, B)`, losses `(M, B)` and targets."""
        self._seen.append((outputs, losses, targets))
        self._pending += outputs.numel()
        if self._pending >= PENDING:
            self.write()

    def write(self) -> None:
        """Write down the steps remembered."""
        if not self._seen:
            return
        outputs, losses, targets = zip(*self._seen, strict=True)
        values = torch.cat(losses, 1)
        part = slice(self.place, self.place + values.shape[1])
        self.losses[:, part] = values
        if self.wrong is not None:
            self.wrong[:, part] = beaten(torch.cat(outputs, 2), torch.cat(targets, 1))
        self.place, self._pending = part.stop, 0
        self._seen.clear()


def beaten(outputs: Tensor, targets: Tensor) -> Tensor:
    """Whether some other output is at least the label's `(M, B)`; several times cheaper than an argmax.

    The outputs `(M, C, B)` are overwritten.
    """
    label = targets[:, None]
    own = outputs.gather(1, label)
    return outputs.scatter_(1, label, -torch.inf).amax(1, keepdim=True).ge(own)[:, 0]
