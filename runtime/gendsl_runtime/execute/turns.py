"""Several runs on one store: what another one is computing is left to it and taken from the store when it is there."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from gendsl.plan import Plan
from gendsl_runtime.execute.batch import Batch, Place, Ready
from gendsl_runtime.execute.watch import Watch
from gendsl_runtime.store import Store
from gendsl_runtime.store.leases import Holder, Leases

PAUSE = 0.1
"""Seconds between two looks at what other runs have done."""


class Turns:
    """Which tasks of one plan are this run's to compute.

    A task is leased when it begins and given back when its results are committed, so nobody holds what he is not
    computing, and nobody who holds something waits for others.
    """

    def __init__(self, store: Store, leases: Leases, watch: Watch) -> None:
        self._store, self._leases, self._watch = store, leases, watch
        self._elsewhere: dict[bytes, Ready] = {}
        """What other runs are computing, by action key."""

    def __bool__(self) -> bool:
        """Whether anything is being computed elsewhere."""
        return bool(self._elsewhere)

    @property
    def is_making_data(self) -> bool:
        """Whether another run makes data that this one waits for."""
        return any(one.step.kind == "dataset" for one in self._elsewhere.values())

    def taken(
        self, batch: Batch, plan: Plan, action: Callable[[Place], bytes]
    ) -> tuple[Batch | None, dict[bytes, str]]:
        """What of a batch is to be computed here, and the results, by action key, that are there meanwhile."""
        actions = [action(places[0]) for places in batch.places]
        held = self._leases.claim(actions)
        # Only now: what another run has done since the batch was made is committed before it is given back.
        found = self._store.lookup(key for key in actions if key not in held)
        rows = [row for row, key in enumerate(actions) if key not in held and key not in found]
        if len(rows) == len(actions):
            return batch, {}
        self._leases.release(found)
        self._watch.given(batch.task)
        for row, key in enumerate(actions):
            if key in held:
                places = batch.places[row]
                step = plan.steps[places[0][0]].step
                self._elsewhere[key] = Ready(step, batch.task.nodes[row], places)
        self._tell(held, arrived=len(found))
        return (_part(batch, rows) if rows else None), found

    def given_back(self, actions: Sequence[bytes]) -> None:
        """These are committed, or have failed."""
        self._leases.release(actions)

    def news(self, *, waits: bool) -> tuple[dict[bytes, str], list[Ready]]:
        """Results of other runs that have come, by action key, and what nobody computes any more."""
        if waits:
            time.sleep(PAUSE)
        keys = list(self._elsewhere)
        held = self._leases.held(keys)
        found = self._store.lookup(keys)
        free = [self._elsewhere[key] for key in keys if key not in held and key not in found]
        self._elsewhere = {
            key: one for key, one in self._elsewhere.items() if key in held and key not in found
        }
        self._tell(held, arrived=len(found))
        return found, free

    def _tell(self, held: Mapping[bytes, Holder], *, arrived: int) -> None:
        holders = sorted({holder for key, holder in held.items() if key in self._elsewhere})
        self._watch.waiting(holders, len(self._elsewhere), arrived)


def _part(batch: Batch, rows: Sequence[int]) -> Batch:
    """These rows of a batch, as a task of its own."""
    nodes = tuple(batch.task.nodes[row] for row in rows)
    return replace(
        batch,
        task=batch.task.model_copy(update={"nodes": nodes}),
        places=[batch.places[row] for row in rows],
        seconds=batch.seconds * len(rows) / len(batch.places),
    )
