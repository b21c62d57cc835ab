"""Stacks cut so that workers end together.

Every piece of a stack pays the fixed part of a step anew, so a stack is cut only where everything ends sooner.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from heapq import heapify, heapreplace

from gendsl_runtime.train.fuse import pieces

GAIN = 0.03
"""A cut must bring the end forward by this share; what is predicted is no surer than that."""


@dataclass(frozen=True)
class Group:
    """Nodes of one static key: cut into `count` pieces, each of which takes `seconds(rows)`."""

    rows: Sequence[int]
    count: int
    seconds: Callable[[Sequence[int]], float]

    def pieces(self) -> list[tuple[list[int], float]]:
        """The pieces, and the seconds of each."""
        return [(piece, self.seconds(piece)) for piece in pieces(self.rows, self.count)]


def balanced(groups: Sequence[Group], *, workers: int) -> list[Group]:
    """The groups, those cut further whose pieces would keep everybody waiting."""
    found = list(groups)
    span = makespan(found, workers=workers)
    while found:
        longest = max(range(len(found)), key=lambda place: max(one for _, one in found[place].pieces()))
        group = found[longest]
        for count in range(group.count + 1, min(len(group.rows), group.count + workers) + 1):
            tried = [*found[:longest], replace(group, count=count), *found[longest + 1 :]]
            sooner = makespan(tried, workers=workers)
            if sooner < (1 - GAIN) * span:
                found, span = tried, sooner
                break
        else:
            break
    return found


def makespan(groups: Sequence[Group], *, workers: int) -> float:
    """Seconds until all is done when whoever is idle takes the longest piece left."""
    ends = [0.0] * workers
    heapify(ends)
    for seconds in sorted((seconds for group in groups for _, seconds in group.pieces()), reverse=True):
        heapreplace(ends, ends[0] + seconds)
    return max(ends)
