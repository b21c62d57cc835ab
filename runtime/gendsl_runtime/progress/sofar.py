"""Claims so far: the verdict of each claim as soon as all that it needs is there.

A claim is never decided from a part of its seeds: looks at growing samples would decide falsely far too often. What is
said before the end is provisional only because Holm's correction needs all claims. It takes a small share of the run.
"""

from __future__ import annotations

import time

from gendsl import spec
from gendsl_runtime.claims.decide import verdict
from gendsl_runtime.claims.verdict import Verdict
from gendsl_runtime.execute.schedule import Scheduler
from gendsl_runtime.problem import Problem
from gendsl_runtime.report.graph import uses
from gendsl_runtime.results import collect
from gendsl_runtime.store import Damaged, Store
from gendsl_runtime.store.payload import unpack

SHARE = 0.02
"""Share of the time of a run that provisional verdicts may take."""
FIRST = 0.05
"""Seconds that a verdict is expected to take before one was made."""
PAUSE = 0.5
"""Seconds between two looks at whether a claim has all it needs."""


class SoFar:
    """The verdicts that can be told already."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._scheduler: Scheduler | None = None
        self._found: dict[str, Verdict | None] = {}
        self._spent, self._longest, self._next = 0.0, FIRST, 0.0

    def follow(self, scheduler: Scheduler) -> None:
        """Another plan, or the same anew: nothing is known of it."""
        self._scheduler, self._found = scheduler, {}

    def verdicts(self, *, elapsed: float) -> list[Verdict]:
        """Verdicts in the order of the file; `elapsed` is how long the run has been at work."""
        now = time.monotonic()
        if self._scheduler is not None and now >= self._next:
            self._next = now + PAUSE
            self._look(self._scheduler, elapsed)
        return [found for found in self._found.values() if found is not None]

    def _look(self, scheduler: Scheduler, elapsed: float) -> None:
        experiment = scheduler.plan.spec
        waiting = [claim for claim in experiment.claims if claim.name not in self._found]
        if not waiting:
            return
        there = {name for name, now in scheduler.standing().items() if now.stored + now.failed == now.total}
        for claim in waiting:
            needed = needs(claim, experiment)
            is_cheap = self._spent + self._longest <= SHARE * elapsed
            if not is_cheap:
                return
            if needed <= there:
                start = time.perf_counter()
                self._found[claim.name] = self._verdict(claim, needed, scheduler)
                took = time.perf_counter() - start
                self._spent, self._longest = self._spent + took, max(self._longest, took)

    def _verdict(self, claim: spec.Claim, needed: set[str], scheduler: Scheduler) -> Verdict | None:
        """None where it cannot be told before the end; then the end tells why."""
        try:
            nodes = {
                name: [
                    None if digest is None else unpack(self._store.read(digest))[0]
                    for digest in scheduler.progress.digests[name]
                ]
                for name in sorted(needed)
            }
            return verdict(claim, collect(scheduler.plan.spec, nodes))
        except (Problem, Damaged, ValueError, KeyError, ArithmeticError):
            return None


def needs(claim: spec.Claim, experiment: spec.Spec) -> set[str]:
    """The analyses whose results a claim is about."""
    used = {use for value in (claim.left, claim.right) for use in uses(value, experiment)}
    return {name for name in used if name in experiment.steps and experiment.steps[name].kind == "analysis"}
