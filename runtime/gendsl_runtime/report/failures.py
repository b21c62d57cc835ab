"""What has no result, and why."""

from __future__ import annotations

from dataclasses import dataclass

from gendsl_runtime.record import Failure
from gendsl_runtime.report.words import spelt
from gendsl_runtime.results import Results

SHOWN = 12
"""Coordinates listed of one group."""


@dataclass(frozen=True)
class Group:
    """Coordinates at which steps have no result, for one reason; the first step is where it began."""

    reason: str
    steps: tuple[str, ...]
    places: tuple[str, ...]
    kind: str
    total: int
    """Nodes of the first step in all."""

    @property
    def listed(self) -> str:
        """The coordinates, the first few of many."""
        named = [place for place in self.places if place]
        rest = f"; and {len(named) - SHOWN} more" if len(named) > SHOWN else ""
        return "; ".join(named[:SHOWN]) + rest


def groups(results: Results) -> list[Group]:
    """Failures by reason and coordinates, steps in the order of the spec."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for failure in results.failures:
        reasons.setdefault((failure.step, failure.reason), []).append(_place(failure, results))
    merged: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    order = {name: place for place, name in enumerate(results.spec.steps)}
    for (step, reason), places in sorted(reasons.items(), key=lambda item: order.get(item[0][0], 0)):
        merged.setdefault((reason, tuple(places)), []).append(step)
    totals = {record.name: record.total for record in results.record.steps} if results.record else {}
    return [
        Group(
            reason=reason,
            steps=tuple(steps),
            places=places,
            kind=results.spec.steps[steps[0]].kind if steps[0] in results.spec.steps else "step",
            total=totals.get(steps[0], len(places)),
        )
        for (reason, places), steps in merged.items()
    ]


def _place(failure: Failure, results: Results) -> str:
    return ", ".join(
        f"{axis} {spelt(axis, label, results.spec)}" for axis, label in failure.coordinate.items()
    )
