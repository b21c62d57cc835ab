"""The record of a run in progress: two small files in `live/NAME-*` of the store, read by the live page.

`plan.json` says once what is to be done, `state.json` how it stands; each is replaced whole. The folder is held by a
lock of the kernel that dies with the process, so a run that was killed is known as ended. The pause between two writes
is at least two hundred times what the last one took, so that all of them take less than a hundredth of the run.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, astuple
from pathlib import Path
from threading import Event, Thread
from typing import Any

from gendsl.diagnostic import Diagnostic
from gendsl.plan import Plan
from gendsl.spec import Spec
from gendsl_runtime.draft import write_whole
from gendsl_runtime.execute.watch import Watch
from gendsl_runtime.json_numbers import strict
from gendsl_runtime.problem import Problem
from gendsl_runtime.progress.live import Live, Training
from gendsl_runtime.report.cards import Card, cards
from gendsl_runtime.report.graph import graph
from gendsl_runtime.results import Results
from gendsl_runtime.store import Store
from gendsl_runtime.store.owned import held, is_owned

FOLDER = "live"
PLAN, STATE = "plan.json", "state.json"
VERSION = 1
PAUSE = 0.4
"""Seconds between two writes, at least."""
SLOWNESS = 200.0
"""Pause after a write, as a multiple of what it took."""
KEPT = 86_400.0
"""Seconds for which the record of a run that has ended is kept."""
MOST = 50
"""Records of ended runs that are kept."""


@contextmanager
def followed(
    spec: Spec,
    store: Store,
    watch: Watch,
    *,
    warnings: Sequence[Diagnostic] = (),
    command: Sequence[str] = (),
) -> Iterator[Live]:
    """What is known of a run while the block runs, told to `watch` as well, with its record in the store.

    A disk that does not take the record keeps nobody from running: then there is none.
    """
    swept(store.path)
    live = Live(spec, store, watch, warnings=warnings)
    watch.lives(live)
    with ExitStack() as stack:
        with suppress(OSError):
            (store.path / FOLDER).mkdir(exist_ok=True)
            folder = Path(tempfile.mkdtemp(prefix=f"{spec.name}-", dir=store.path / FOLDER))
            stack.enter_context(held(folder))
            stack.enter_context(Journal(folder, live, command=command))
        yield live


class Journal:
    """Writes down how a run stands, from a thread of its own."""

    def __init__(self, folder: Path, live: Live, *, command: Sequence[str]) -> None:
        self._folder, self._live, self._command = folder, live, list(command)
        self._over = Event()
        self._thread = Thread(target=self._write_on, name="gendsl-journal", daemon=True)
        self._planned: Plan | None = None
        self.seconds = 0.0
        """Of processor time spent on writing."""

    def __enter__(self) -> Journal:
        self._thread.start()
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._over.set()
        self._thread.join()
        if error is None:
            self._write("finished")
        elif isinstance(error, KeyboardInterrupt):
            self._write("stopped")
        else:
            self._write("failed", error.message if isinstance(error, Problem) else type(error).__name__)

    def _write_on(self) -> None:
        pause = 0.0
        while not self._over.wait(pause):
            start = time.thread_time()
            self._write()
            took = time.thread_time() - start
            self.seconds += took
            pause = max(PAUSE, SLOWNESS * took)

    def _write(self, ended: str = "", message: str = "") -> None:
        live = self._live
        with suppress(Exception):  # whatever is wrong with the record: the run goes on
            if live.plan is not None and self._planned is not live.plan:
                self._planned = live.plan
                _put(self._folder / PLAN, plan_record(live, self._command))
            end = {"ended": ended, "message": message, "run": live.run}
            _put(self._folder / STATE, {**state_record(live), **end})


def plan_record(live: Live, command: Sequence[str]) -> dict[str, Any]:
    """What is to be done."""
    spec = live.spec
    picture = graph(Results(spec, {}))
    return {
        "version": VERSION,
        "name": spec.name,
        "title": spec.title,
        "about": spec.about,
        "path": spec.path,
        "text": spec.text,
        "command": command,
        "pid": os.getpid(),
        "host": platform.node(),
        "started": live.started,
        "steps": {name: [step.kind, step.component] for name, step in spec.steps.items()},
        "claims": [[claim.name, claim.text, claim.caption] for claim in spec.claims],
        "graph": asdict(picture),
        "warnings": live.warnings,
    }


def state_record(live: Live) -> dict[str, Any]:
    """How it stands."""
    return {
        "stage": live.stage_name,
        "looks": live.looks,
        "seconds": round(live.seconds, 2),
        "left": live.left,
        "updated": time.time(),
        "waiting": [f"{holder.host}:{holder.pid}" for holder in live.holders],
        "steps": {name: astuple(now) for name, now in live.standing().items()},
        "trainings": [_curve(training) for training in live.trainings()],
        "claims": [_claim(card) for card in cards(live.spec, list(live.claims))],
    }


def _curve(training: Training) -> dict[str, Any]:
    return {
        "id": training.number,
        "steps": training.steps,
        "where": training.where,
        "members": training.members,
        "active": training.active,
        "state": training.state,
        "share": round(training.share, 4),
        "rate": float(f"{training.rate:.3g}"),
        "points": [(epoch, *(float(f"{loss:.4g}") for loss in losses)) for epoch, *losses in training.points],
    }


def _claim(card: Card) -> dict[str, Any]:
    found: dict[str, Any] = strict(
        {
            "name": card.verdict.name,
            "outcome": str(card.verdict.outcome),
            "estimate": card.estimate,
            "facts": card.facts,
            "why": card.why,
            "summary": card.summary,
            "line": None if card.line is None else asdict(card.line),
            "warnings": card.verdict.warnings,
        }
    )
    return found


def swept(store: Path) -> None:
    """Removes the records of runs that ended long ago, or that are too many. Best effort."""
    with suppress(OSError):
        ended = [folder for folder in (store / FOLDER).iterdir() if not is_owned(folder)]
        ages = sorted((time.time() - folder.stat().st_mtime, folder) for folder in ended)
        for place, (age, folder) in enumerate(ages):
            if age > KEPT or place >= MOST:
                shutil.rmtree(folder, ignore_errors=True)


def _put(path: Path, content: dict[str, Any]) -> None:
    write_whole(
        path, json.dumps(content, allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode()
    )
