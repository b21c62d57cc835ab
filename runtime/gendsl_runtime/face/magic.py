"""The cell magic `%%gen`: a spec in a notebook, run where it stands."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, cell_magic, magics_class
from IPython.core.magic_arguments import argument, magic_arguments, parse_argstring
from IPython.display import HTML, display

from gendsl.diagnostic import Diagnostic, DiagnosticError
from gendsl.plan import Plan
from gendsl.render import render
from gendsl_runtime.execute.task import Outcome, Task
from gendsl_runtime.execute.watch import Watch
from gendsl_runtime.face import Run, run
from gendsl_runtime.problem import Problem


class Shown(Watch):
    """One line of a notebook that tells how far a run is, without codes for terminals."""

    def __init__(self) -> None:
        self._place: Any = display(HTML("<p>…</p>"), display_id=True)
        self._all = self._done = 0

    def warned(self, warnings: Sequence[Diagnostic]) -> None:
        """Warnings stand above the results."""
        if warnings:
            display(told(render(warnings, color=False)))

    def planned(self, plan: Plan, missing: int) -> None:
        """How much there is to do."""
        self._all, self._done = missing, 0
        self._say("nothing to compute" if not missing else f"0 of {missing:,} results")

    def done(self, task: Task, outcomes: Sequence[Outcome]) -> None:
        """A few more results."""
        self._done += len(outcomes)
        self._say(f"{min(self._done, self._all):,} of {self._all:,} results")

    def stage(self, name: str) -> None:
        """Claims or report."""
        self._say(name)

    def ended(self) -> None:
        """Leaves nothing behind but what was found."""
        self._say("")

    def _say(self, text: str) -> None:
        self._place.update(HTML(f"<p>{escape(text)}</p>" if text else ""))


def told(text: str) -> HTML:
    """A diagnostic as it stands, in letters of one width."""
    return HTML(f'<pre style="white-space: pre-wrap">{escape(text.rstrip())}</pre>')


@magics_class
class Magic(Magics):
    """Registered by `%load_ext gendsl`."""

    @magic_arguments()
    @argument("name", nargs="?", help="the variable that gets the run")
    @argument("--preset", help="a preset of the spec")
    @argument(
        "--set", action="append", default=[], metavar="PATH=VALUE", help="replaces a parameter or field"
    )
    @argument("--seeds", help="replaces the seeds, 0..4")
    @argument("--store", help="where results are kept")
    @argument("--workers", type=int, default=1, help="worker processes")
    @argument("--allow-python", action="store_true", help="whether Python files it imports may run")
    @cell_magic
    def gen(self, line: str, cell: str) -> Run | None:
        """Runs the spec in the cell and shows what it found."""
        given = parse_argstring(self.gen, line)
        watch = Shown()
        try:
            found = run(
                cell + "\n",
                set=dict(_pair(text) for text in given.set),
                preset=given.preset,
                seeds=given.seeds,
                store=Path(given.store) if given.store else None,
                workers=given.workers,
                allow_python=given.allow_python,
                watch=watch,
            )
        except DiagnosticError as error:
            display(told(render(error.diagnostics, color=False)))
            return None
        except Problem as problem:
            display(
                told(
                    f"error[{problem.code}]: {problem.message}\n"
                    + (f"help: {problem.help}" if problem.help else "")
                )
            )
            return None
        finally:
            watch.ended()
        if given.name:
            self.shell.user_ns[given.name] = found
        return found


def _pair(text: str) -> tuple[str, str]:
    """`width=32` or `"width=32"` as a name and a value."""
    name, is_there, value = "".join(shlex.split(text)).partition("=")
    if not is_there:
        raise UsageError(f"--set takes PATH=VALUE, as in `--set width=32`; found `{text}`")
    return name, value
