"""The progress bar of a run: nodes done, rate, and the time that is left."""

from __future__ import annotations

import platform
import sys
from collections.abc import Sequence
from functools import cached_property
from time import localtime, strftime
from types import TracebackType
from typing import TYPE_CHECKING

from gendsl.diagnostic import Diagnostic
from gendsl.plan import Plan
from gendsl.render import render
from gendsl_runtime.cli.estimate import Estimate
from gendsl_runtime.cli.options import is_coloured
from gendsl_runtime.execute.task import Broken, Outcome, Task
from gendsl_runtime.execute.watch import Watch
from gendsl_runtime.store.leases import Holder

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

VERBS = {"dataset": "making data", "train": "training", "analysis": "analysing"}


def waiting(holders: Sequence[Holder]) -> str:
    """Which other runs are waited for, and since when they compute what is needed here."""
    first = min(holders, key=lambda holder: holder.since)
    where = "" if first.host == platform.node() else f" on {first.host}"
    others = len({holder[:2] for holder in holders}) - 1
    more = f" and {others} more" if others else ""
    return f"waiting for another run: pid {first.pid}{where} since {strftime('%H:%M:%S', localtime(first.since))}{more}"


class Bar(Watch):
    """Shows a run on a terminal; elsewhere it says what was planned and nothing more."""

    def __init__(self) -> None:
        self._parts: dict[int, float] = {}
        self._finished = 0
        self._estimate = Estimate()
        self._has_waited = False
        self.computed = 0

    @cached_property
    def _bar(self) -> Progress:
        """The bar, begun when there is something to show: a run that computes nothing does without rich."""
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            SpinnerColumn,
            TextColumn,
            TimeElapsedColumn,
        )

        console = Console(stderr=True, highlight=False)
        bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description:<12}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        bar.start()
        return bar

    @cached_property
    def _total(self) -> TaskID:
        return self._bar.add_task("reading", total=None, rate="", left="")

    def __enter__(self) -> Bar:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if "_bar" in self.__dict__:
            self._bar.stop()

    def warned(self, warnings: Sequence[Diagnostic]) -> None:
        if warnings:
            print(render(warnings, color=is_coloured(sys.stderr)), file=sys.stderr)

    def planned(self, plan: Plan, missing: int) -> None:
        self._finished, self._estimate = 0, Estimate()
        self._bar.reset(self._total, total=missing, rate="", left="")
        trainings = sum(step.count for step in plan.steps.values() if step.step.kind == "train")
        nodes = sum(step.count for step in plan.steps.values())
        self._bar.console.print(
            f"{plan.spec.name}: {trainings:,} trainings, {nodes - missing:,} of {nodes:,} results stored"
        )

    def queued(self, task: Task, seconds: float) -> None:
        self._estimate.queued(id(task), seconds)

    def given(self, task: Task) -> None:
        self._estimate.dropped(id(task))

    def waiting(self, holders: Sequence[Holder], nodes: int, arrived: int) -> None:
        self._finished += arrived
        if holders:
            self._bar.update(
                self._total, completed=self._done(), description=waiting(holders), rate="", left=""
            )
            if not self._has_waited:
                self._bar.console.print(f"{waiting(holders)}; its results are used")
            self._has_waited = True

    def part(self, task: Task, share: float) -> None:
        self._estimate.part(id(task), share)
        self._parts[id(task)] = share * len(task.nodes)
        self._show(task)

    def done(self, task: Task, outcomes: Sequence[Outcome]) -> None:
        self._parts.pop(id(task), None)
        self._estimate.done(id(task))
        self._finished += len(outcomes)
        self.computed += sum(not isinstance(outcome, Broken) for outcome in outcomes)
        self._show(task)

    def stage(self, name: str) -> None:
        self._bar.update(self._total, description=name, rate="", left="")

    def _done(self) -> float:
        return self._finished + sum(list(self._parts.values()))

    def _show(self, task: Task) -> None:
        speed = self._bar.tasks[0].speed
        rate = f"{speed:,.1f}/s" if speed else ""
        from gendsl_runtime.report.words import duration

        left = self._estimate.seconds()
        self._bar.update(
            self._total,
            completed=self._done(),
            description=VERBS[task.kind],
            rate=rate,
            left="" if left is None else f"{duration(left)} left",
        )
