"""What can be seen of a stack while it trains: how far it is, and the losses of its members."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, NamedTuple

PAUSE = 0.25
"""Seconds between two glimpses of a stack."""
POINTS = 64
"""Points of a curve that one glimpse holds at most; of more, every second is left out."""


class Point(NamedTuple):
    """The training loss of an epoch over the members still in the stack; epochs count from 1."""

    epoch: int
    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Glimpse:
    """A stack on its way; `points` are those since the glimpse before."""

    steps: int
    """Steps behind all members together."""
    of: int
    members: int
    """Members that are still trained."""
    points: tuple[Point, ...] = ()


def received(written: Mapping[str, Any]) -> Glimpse:
    """A glimpse from its JSON."""
    return Glimpse(**{**written, "points": tuple(Point(*one) for one in written["points"])})


def point(epoch: int, losses: Sequence[float]) -> Point | None:
    """The curve at an epoch; losses that are not finite are left out, None where all are."""
    finite = [loss for loss in losses if math.isfinite(loss)]
    if not finite:
        return None
    return Point(epoch, math.fsum(finite) / len(finite), min(finite), max(finite))


def thinned(points: Sequence[Point], most: int) -> list[Point]:
    """Every second point, the last among them, until there are no more than `most`."""
    found = list(points)
    while len(found) > most:
        found = found[::-1][::2][::-1]
    return found


@dataclass
class Glimpses:
    """Gathers what a stack tells epoch by epoch and passes it on a few times a second."""

    of: int
    tell: Callable[[Glimpse], None]
    _points: list[Point] = field(default_factory=list)
    _next: float = 0.0
    _last: tuple[int, int] = (0, 0)

    def heard(self, steps: int, members: int, latest: Point | None) -> None:
        """So many steps are behind all members, so many of which are left; the end of an epoch has a point."""
        if latest is not None:
            self._points.append(latest)
            if len(self._points) > POINTS:
                self._points = thinned(self._points, POINTS)
        self._last = steps, members
        if monotonic() >= self._next:
            self.rest()

    def rest(self) -> None:
        """Tells what has gathered."""
        steps, members = self._last
        self.tell(Glimpse(steps, self.of, members, tuple(self._points)))
        self._points = []
        self._next = monotonic() + PAUSE
