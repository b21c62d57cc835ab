"""The local executor: this process, or a few persistent ones beside it.

Either way tasks come back one by one, in the order they end, and only the caller writes to the store.
"""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from threading import Thread
from typing import Protocol, TypeAlias

from gendsl_runtime.execute.perform import Performer
from gendsl_runtime.execute.task import Broken, Outcome, Task

Done: TypeAlias = tuple[Task, list[Outcome], float]
"""A task, its results, and the seconds it took."""
Watch: TypeAlias = Callable[[Task, float], None]
"""Told the share of a task that is done."""


class Executor(Protocol):
    """Something that performs tasks."""

    def perform(self, tasks: Sequence[Task], watch: Watch) -> Iterator[Done]:
        """Each task with its results, as it ends."""
        ...

    def close(self) -> None:
        """Ends what was started."""
        ...


class InProcess:
    """Performs tasks here, one after the other."""

    def __init__(self, performer: Performer) -> None:
        self._performer = performer

    def perform(self, tasks: Sequence[Task], watch: Watch) -> Iterator[Done]:
        from time import perf_counter

        for task in tasks:
            start = perf_counter()
            outcomes = self._performer.perform(task, lambda share, task=task: watch(task, share))  # type: ignore[misc]
            yield task, outcomes, perf_counter() - start

    def close(self) -> None:
        """Nothing was started."""


class Workers:
    """Performs tasks in persistent processes, one thread each, that write only in a folder of their own."""

    def __init__(self, count: int, store: Path) -> None:
        self._store = store
        self._folder = tempfile.TemporaryDirectory(prefix="attempts-", dir=store)
        self._workers = [self._start(place) for place in range(count)]

    def _start(self, place: int) -> subprocess.Popen[str]:
        folder = Path(self._folder.name) / str(place)
        folder.mkdir(exist_ok=True)
        return subprocess.Popen(
            [sys.executable, "-m", "gendsl_runtime.execute.worker", str(self._store), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def perform(self, tasks: Sequence[Task], watch: Watch) -> Iterator[Done]:
        waiting: queue.SimpleQueue[Task] = queue.SimpleQueue()
        ended: queue.SimpleQueue[Done] = queue.SimpleQueue()
        for task in tasks:
            waiting.put(task)
        for place in range(len(self._workers)):
            Thread(target=self._drive, args=(place, waiting, ended, watch), daemon=True).start()
        for _ in tasks:
            yield ended.get()

    def _drive(
        self, place: int, waiting: queue.SimpleQueue[Task], ended: queue.SimpleQueue[Done], watch: Watch
    ) -> None:
        """Feeds one worker until nothing waits; a worker that dies breaks its task and is replaced."""
        while True:
            try:
                task = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                ended.put(self._ask(self._workers[place], task, watch))
            except (OSError, ValueError):
                code = self._workers[place].wait()
                self._workers[place] = self._start(place)
                broken = Broken(code="worker-died", reason=f"the worker process ended with status {code}")
                ended.put((task, [broken] * len(task.nodes), 0.0))

    def _ask(self, worker: subprocess.Popen[str], task: Task, watch: Watch) -> Done:
        assert worker.stdin is not None and worker.stdout is not None
        worker.stdin.write(task.model_dump_json() + "\n")
        worker.stdin.flush()
        while True:
            line = worker.stdout.readline()
            if not line:
                raise ValueError("the worker closed its output")
            message = json.loads(line)
            if "progress" in message:
                watch(task, message["progress"])
                continue
            return task, [self._received(outcome) for outcome in message["outcomes"]], message["seconds"]

    def _received(self, outcome: dict[str, str]) -> Outcome:
        if "file" not in outcome:
            return Broken.model_validate(outcome)
        path = Path(outcome["file"])
        payload = path.read_bytes()
        path.unlink()
        return payload

    def close(self) -> None:
        """Workers leave when their input ends."""
        for worker in self._workers:
            if worker.stdin is not None:
                worker.stdin.close()
            worker.terminate()
            worker.wait()
        self._folder.cleanup()
