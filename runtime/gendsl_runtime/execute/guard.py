"""Ends workers that show no progress, and says what became of those that died."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from threading import Timer
from time import monotonic

from gendsl_runtime.execute.task import Broken, Task
from gendsl_runtime.python import codes

PATIENCE = 3600.0
"""Seconds without a sign of progress after which the user's own Python is ended, unless told otherwise."""


class Guard:
    """Ends a worker, with all that it started, where it gives no sign of progress for too long.

    The time begins with the first sign: a worker that is just being started has work of its own to do.
    Only work with the user's own Python is guarded: an endless loop is none of the engine's.
    """

    def __init__(self, worker: subprocess.Popen[str], task: Task, seconds: float) -> None:
        self._worker, self._task = worker, task
        self._own = sorted({Path(code.path).name for code in codes(task)})
        self._seconds = seconds
        self._is_late = False
        self._timer: Timer | None = None

    @property
    def is_late(self) -> bool:
        """Whether the worker was ended for it."""
        return self._is_late

    def rest(self) -> None:
        """A sign of progress: the time begins anew."""
        self.stop()
        if self._own:
            self._timer = Timer(self._seconds, self._end)
            self._timer.daemon = True
            self._timer.start()

    def stop(self) -> None:
        """No more signs are waited for."""
        if self._timer is not None:
            self._timer.cancel()

    def _end(self) -> None:
        self._is_late = True
        killed(self._worker)

    def broken(self, code: int) -> Broken:
        """What to say of a task whose worker ended with this status."""
        if self._is_late:
            return Broken(
                code="time-limit",
                reason=f"`{self._task.component}` showed no progress for {self._seconds:g} s and was ended",
                help=f"look for a loop without an end in {self._files()}, or give more time with `--time-limit`",
            )
        if self._own:
            return Broken(
                code="worker-died",
                reason=f"the worker process of `{self._task.component}`, with code of {self._files()}, "
                f"ended {ending(code)}",
                help=f"run what is in {self._files()} by itself to see why",
            )
        return Broken(
            code="worker-died",
            reason=f"the worker process ended {ending(code)}",
            help="run the same command again; if it is the memory, take fewer workers",
        )

    def _files(self) -> str:
        return ", ".join(self._own)


def killed(worker: subprocess.Popen[str]) -> None:
    """Ends a worker and the processes it started: it leads a session of its own."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(worker.pid, signal.SIGKILL)


def ended(workers: Sequence[subprocess.Popen[str]], *, seconds: float) -> None:
    """Asks workers to end, which leave the checkpoints of what they train, and ends those that take longer.

    A second Ctrl-C ends all of them at once.
    """
    for worker in workers:
        worker.terminate()
    end = monotonic() + seconds
    try:
        for worker in workers:
            with suppress(subprocess.TimeoutExpired):
                worker.wait(max(0.0, end - monotonic()))
    finally:
        for worker in workers:
            if worker.poll() is None:
                killed(worker)
                worker.wait()


def ending(code: int) -> str:
    """How a process ended, from what `wait` gives."""
    if code >= 0:
        return f"with status {code}"
    try:
        return f"by {signal.Signals(-code).name}"
    except ValueError:
        return f"by signal {-code}"
