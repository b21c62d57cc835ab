"""What the steps of an epoch saw: the loss of every example, and whether it was classified wrongly."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from gendsl_runtime.data import NO_LABEL

PENDING = 1 << 14
"""Outputs looked at together: many small steps at once, a large one by itself."""


@dataclass
class Record:
    """The record of one stretch of an epoch, written into tables from a place on."""

    losses: Tensor
    """`(M, N)`, in the order seen."""
    wrong: Tensor | None
    """`(M, N)`; None for a regression."""
    place: int
    """Examples of the epoch that are written."""
    _seen: list[tuple[Tensor, ...]] = field(default_factory=list)
    _pending: int = 0

    def add(self, outputs: Tensor, losses: Tensor, targets: Tensor) -> None:
        """Remember a step: outputs `(M, C, B)`, which will be overwritten, losses `(M, B)` and targets."""
        self._seen.append((losses,) if self.wrong is None else (losses, outputs, targets))
        self._pending += outputs.numel()
        if self._pending >= PENDING:
            self.write()

    def write(self) -> None:
        """Write down the steps remembered."""
        if not self._seen:
            return
        losses, *rest = (_joined(steps, dim) for steps, dim in zip(zip(*self._seen, strict=True), (1, -1, 1)))
        part = slice(self.place, self.place + losses.shape[1])
        self.losses[:, part] = losses
        if self.wrong is not None:
            self.wrong[:, part] = beaten(*rest)
        self.place, self._pending = part.stop, 0
        self._seen.clear()


def _joined(steps: tuple[Tensor, ...], dim: int) -> Tensor:
    return steps[0] if len(steps) == 1 else torch.cat(steps, dim)


def beaten(outputs: Tensor, targets: Tensor) -> Tensor:
    """Whether some other output is at least the label's `(M, B)`; several times cheaper than an argmax.

    The outputs `(M, C, B)` are overwritten. Of a labelling, outputs `(M, C, places, B)` and labels `(M, B, places)`,
    whether one of the places asked about is beaten.
    """
    if outputs.ndim == 4:
        labels = targets.movedim(-1, 1)
        flat = beaten(outputs.flatten(2), labels.clamp_min(0).flatten(1)).view_as(labels)
        return (flat & (labels != NO_LABEL)).any(1)
    label = targets[:, None]
    own = outputs.gather(1, label)
    return outputs.scatter_(1, label, -torch.inf).amax(1, keepdim=True).ge(own)[:, 0]
