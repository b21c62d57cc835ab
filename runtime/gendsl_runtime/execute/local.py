"""The local executor: this process, or a few persistent ones beside it.

Either way tasks come back one by one, in the order they end, and only the caller writes to the store.
"""

from __future__ import annotations

import json
import queue
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from threading import Lock, Thread
from typing import Protocol, TypeAlias

from gendsl_runtime.execute.perform import Performer
from gendsl_runtime.execute.task import Broken, Outcome, Task
from gendsl_runtime.problem import Problem
from gendsl_runtime.store.faults import told

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
        self._lock, self._is_closed = Lock(), False
        with told(store):
            self._folder = tempfile.TemporaryDirectory(
                prefix="attempts-", dir=store, ignore_cleanup_errors=True
            )
        self._workers: list[subprocess.Popen[str]] = []
        try:
            for place in range(count):
                self._workers.append(self._start(place))
        except BaseException:
            self.close()
            raise

    def _start(self, place: int) -> subprocess.Popen[str]:
        """A worker in a session of its own: Ctrl-C is heard by the coordinator alone, which ends it."""
        folder = Path(self._folder.name) / str(place)
        with told(self._store):
            folder.mkdir(exist_ok=True)
        try:
            return subprocess.Popen(
                [sys.executable, "-m", "gendsl_runtime.execute.worker", str(self._store), str(folder)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
        except OSError as error:
            reason = f"a worker process cannot be started: {error.strerror or error}"
            raise Problem("worker-died", reason, help="take fewer workers") from error

    def perform(self, tasks: Sequence[Task], watch: Watch) -> Iterator[Done]:
        waiting: queue.SimpleQueue[Task] = queue.SimpleQueue()
        ended: queue.SimpleQueue[Done | Exception] = queue.SimpleQueue()
        for task in tasks:
            waiting.put(task)
        for place in range(len(self._workers)):
            Thread(target=self._drive, args=(place, waiting, ended, watch), daemon=True).start()
        for _ in tasks:
            result = ended.get()
            if isinstance(result, Exception):
                raise result
            yield result

    def _drive(
        self,
        place: int,
        waiting: queue.SimpleQueue[Task],
        ended: queue.SimpleQueue[Done | Exception],
        watch: Watch,
    ) -> None:
        """Feeds one worker until nothing waits; a worker that dies breaks its task and is replaced."""
        while True:
            try:
                task = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                ended.put(self._answered(place, task, watch))
            except Exception as error:  # told to the caller, who else would wait for ever
                ended.put(error)
                return

    def _answered(self, place: int, task: Task, watch: Watch) -> Done:
        try:
            return self._ask(self._workers[place], task, watch)
        except (OSError, ValueError):
            code = self._replaced(place)
        broken = Broken(
            code="worker-died",
            reason=f"the worker process ended {_ending(code)}",
            help="run the same command again; if it is the memory, take fewer workers",
        )
        return task, [broken] * len(task.nodes), 0.0

    def _replaced(self, place: int) -> int:
        """Puts a new worker where one has died; how that ended. None is started once all are to end."""
        worker = self._workers[place]
        worker.kill()  # one whose answers make no sense may still be there
        code = worker.wait()
        with self._lock:
            if not self._is_closed:
                self._workers[place] = self._start(place)
        return code

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
            if "problem" in message:
                raise Problem(**message["problem"])
            return task, [self._received(outcome) for outcome in message["outcomes"]], message["seconds"]

    def _received(self, outcome: dict[str, str]) -> Outcome:
        if "file" not in outcome:
            return Broken.model_validate(outcome)
        path = Path(outcome["file"])
        payload = path.read_bytes()
        path.unlink()
        return payload

    def close(self) -> None:
        """Ends the workers, whatever they do."""
        with self._lock:
            self._is_closed = True
            for worker in self._workers:
                worker.terminate()
        for worker in self._workers:
            worker.wait()
        self._folder.cleanup()


def _ending(code: int) -> str:
    """How a process ended, from what `wait` gives."""
    if code >= 0:
        return f"with status {code}"
    try:
        return f"by {signal.Signals(-code).name}"
    except ValueError:
        return f"by signal {-code}"
