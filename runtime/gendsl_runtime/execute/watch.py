"""What a run tells while it goes on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gendsl.diagnostic import Diagnostic
from gendsl.plan import Plan
from gendsl_runtime.execute.task import Outcome, Task
from gendsl_runtime.store.leases import Holder
from gendsl_runtime.train.glimpse import Glimpse

if TYPE_CHECKING:
    from gendsl_runtime.claims.verdict import Verdict
    from gendsl_runtime.execute.schedule import Scheduler
    from gendsl_runtime.progress.live import Live


class Watch:
    """Hears how a run gets on; a front end overrides what it shows."""

    def warned(self, warnings: Sequence[Diagnostic]) -> None:
        """The file can be run, but something in it is worth a look."""

    def lives(self, live: Live) -> None:
        """A run begins; what is known of it is there at any time, for a front end that draws it."""

    def planned(self, plan: Plan, missing: int) -> None:
        """The plan is made; `missing` of its nodes must be computed."""

    def follows(self, scheduler: Scheduler) -> None:
        """What carries the plan out: how its steps stand can be asked at any time."""

    def queued(self, task: Task, seconds: float) -> None:
        """A task will be done; the seconds it is expected to take, 0 where nothing is known."""

    def given(self, task: Task) -> None:
        """Another run computes this task or has done so, whole or in part; the rest of it is queued anew."""

    def waiting(self, holders: Sequence[Holder], nodes: int, arrived: int) -> None:
        """So many nodes are left to other runs on the same store; `arrived` more of theirs have come."""

    def part(self, task: Task, share: float) -> None:
        """A share of a task is done."""

    def seen(self, task: Task, glimpse: Glimpse) -> None:
        """How the losses of a training go; may come from a thread of its own."""

    def done(self, task: Task, outcomes: Sequence[Outcome]) -> None:
        """A task is done."""

    def looked(self, looks: Sequence[int], number: int, verdicts: Sequence[Verdict]) -> None:
        """Claims were looked at after `looks[number]` seeds, of seeds that go on until all of them are decided."""

    def stage(self, name: str) -> None:
        """What comes next: `claims`, `report`."""
