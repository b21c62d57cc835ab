"""What `gen run` shows while it runs: a view of the whole run on a terminal, plain lines elsewhere."""

from __future__ import annotations

import platform
import sys
from collections.abc import Sequence
from time import localtime, strftime
from types import TracebackType
from typing import TYPE_CHECKING

from gendsl.diagnostic import Diagnostic
from gendsl.plan import Plan
from gendsl.render import render
from gendsl_runtime.cli.options import is_coloured
from gendsl_runtime.execute.task import Broken, Outcome, Task
from gendsl_runtime.execute.watch import Watch
from gendsl_runtime.store.leases import Holder

if TYPE_CHECKING:
    from rich.console import Console, ConsoleRenderable
    from rich.live import Live as Display

    from gendsl_runtime.claims.verdict import Verdict
    from gendsl_runtime.progress.live import Live

REFRESH = 4.0
"""Pictures a second."""


def waiting(holders: Sequence[Holder]) -> str:
    """Which other runs are waited for, and since when they compute what is needed here."""
    first = min(holders, key=lambda holder: holder.since)
    where = "" if first.host == platform.node() else f" on {first.host}"
    others = len({holder[:2] for holder in holders}) - 1
    more = f" and {others} more" if others else ""
    return f"waiting for another run: pid {first.pid}{where} since {strftime('%H:%M:%S', localtime(first.since))}{more}"


class View(Watch):
    """Shows a run on a terminal; elsewhere it says what was planned and nothing more."""

    def __init__(self) -> None:
        self._live: Live | None = None
        self._display: Display | None = None
        self._console: Console | None = None
        self._has_waited = False
        self.computed = 0

    def __enter__(self) -> View:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._display is not None:
            self._display.stop()
            if error is None and self._live is not None and self._console is not None:
                from gendsl_runtime.cli.screen import closing

                self._console.print(closing(self._live, width=self._console.width))

    def warned(self, warnings: Sequence[Diagnostic]) -> None:
        if warnings:
            print(render(warnings, color=is_coloured(sys.stderr)), file=sys.stderr)

    def lives(self, live: Live) -> None:
        """A run that computes nothing does without rich."""
        from rich.console import Console
        from rich.live import Live as Display

        self._live = live
        self._console = console = Console(stderr=True, highlight=False, markup=False)
        if console.is_terminal and not console.is_dumb_terminal and console.encoding.startswith("utf"):
            self._display = Display(
                get_renderable=self._picture,
                console=console,
                refresh_per_second=REFRESH,
                transient=True,
                vertical_overflow="crop",
            )
            self._display.start()

    def planned(self, plan: Plan, missing: int) -> None:
        trainings = sum(step.count for step in plan.steps.values() if step.step.kind == "train")
        nodes = sum(step.count for step in plan.steps.values())
        self._say(
            f"{plan.spec.name}: {trainings:,} trainings, {nodes - missing:,} of {nodes:,} results stored"
        )

    def waiting(self, holders: Sequence[Holder], nodes: int, arrived: int) -> None:
        if holders and not self._has_waited:
            self._say(f"{waiting(holders)}; its results are used")
            self._has_waited = True

    def looked(self, looks: Sequence[int], number: int, verdicts: Sequence[Verdict]) -> None:
        is_open = [verdict for verdict in verdicts if verdict.p_value is not None]
        decided = sum(verdict.outcome != "undecided" for verdict in is_open)
        goes_on = decided < len(is_open) and number + 1 < len(looks)
        following = f"; going on to {looks[number + 1]:,} seeds" if goes_on else ""
        said = f"{decided} of {len(is_open)} claims decided{following}"
        self._say(
            f"look {number + 1} of {len(looks)}, {looks[number]:,} seeds: "
            + (said if is_open else "no claim rests on how many there are")
        )

    def done(self, task: Task, outcomes: Sequence[Outcome]) -> None:
        self.computed += sum(not isinstance(outcome, Broken) for outcome in outcomes)

    def _say(self, line: str) -> None:
        if self._console is not None:
            self._console.print(line)

    def _picture(self) -> ConsoleRenderable:
        from gendsl_runtime.cli.screen import screen

        assert self._live is not None and self._console is not None
        note = waiting(self._live.holders) if self._live.holders else ""
        return screen(self._live, note, width=self._console.width, height=self._console.height - 1)
