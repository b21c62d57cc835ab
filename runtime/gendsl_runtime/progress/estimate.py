"""The time that is left of a run, from what its tasks were expected to take and have taken."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import monotonic


@dataclass
class Estimate:
    """Adds up the seconds that tasks were expected to take, and compares what is behind with the clock.

    So a wrong scale (a busy machine, several workers) does not matter, and work of which nothing was expected counts
    as part of the rest.
    """

    _left: dict[int, float] = field(default_factory=dict)
    """Expected seconds of each task that is not done."""
    _shares: dict[int, float] = field(default_factory=dict)
    _first: dict[int, float] = field(default_factory=dict)
    """The share with which each task began: not 0 for a training that goes on from a checkpoint."""
    _behind: float = 0.0
    _begun: float | None = None

    def queued(self, task: int, seconds: float) -> None:
        """A task will be done."""
        if seconds > 0:
            self._left[task] = seconds

    def part(self, task: int, share: float) -> None:
        """A share of it is done."""
        if task in self._left:
            first = self._first.setdefault(task, share)
            self._shares[task] = (share - first) / (1 - first) if first < 1 else 1.0
            self._begun = monotonic() if self._begun is None else self._begun

    def done(self, task: int) -> None:
        """All of it is done."""
        self._behind += self._left.pop(task, 0.0)
        self._shares.pop(task, None)

    def dropped(self, task: int) -> None:
        """It will not be done."""
        self._left.pop(task, None)

    def seconds(self) -> float | None:
        """Seconds that are left; None before anything is known."""
        # Copies: workers tell of their shares from threads of their own.
        started = sum(self._left.get(task, 0.0) * share for task, share in list(self._shares.items()))
        behind = self._behind + started
        if self._begun is None or behind <= 0:
            return None
        return (monotonic() - self._begun) * (sum(list(self._left.values())) - started) / behind
