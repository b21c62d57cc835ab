"""The local executor: this process, or a few persistent ones beside it.

Either way tasks come back one by one, in the order they end, and only the caller writes to the store.
"""

from __future__ import annotations

import json
import queue
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from threading import Lock, Thread
from time import process_time
from typing import Protocol, TypeAlias

from gendsl_runtime.execute.guard import PATIENCE, Guard, ended, killed
from gendsl_runtime.execute.perform import Performer
from gendsl_runtime.execute.task import Broken, Outcome, Task
from gendsl_runtime.problem import Problem
from gendsl_runtime.store.faults import told
from gendsl_runtime.store.owned import own_folder
from gendsl_runtime.train.glimpse import Glimpse, received

Done: TypeAlias = tuple[Task, list[Outcome], float]
"""A task, its results, and the seconds of the processor it took; 0 of a worker that died, which cannot say."""
Watch: TypeAlias = Callable[[Task, float | Glimpse], None]
"""Told the share of a task that is done, and of a training how its losses go."""

PATIENT = 60.0
"""Seconds that workers have for the step they are in and its checkpoint when they are asked to end."""
RELUCTANT = 5.0
"""The same where the user's own Python runs, which may not want to end."""


class Executor(Protocol):
    """Something that performs tasks."""

    @property
    def workers(self) -> int:
        """How many tasks it performs at a time."""
        ...

    def submit(self, task: Task, watch: Watch) -> None:
        """Begins with a task, or will as soon as one before it has ended."""
        ...

    def ended(self, seconds: float | None = None) -> Done | None:
        """Waits until one of the tasks has ended; with `seconds` no longer than that where it can, and gives None."""
        ...

    def close(self) -> None:
        """Ends what was started."""
        ...


class InProcess:
    """Performs tasks here, one after the other."""

    workers = 1

    def __init__(self, performer: Performer) -> None:
        self._performer = performer
        self._waiting: deque[tuple[Task, Watch]] = deque()

    def submit(self, task: Task, watch: Watch) -> None:
        self._waiting.append((task, watch))

    def ended(self, seconds: float | None = None) -> Done:
        task, watch = self._waiting.popleft()
        start = process_time()
        outcomes = self._performer.perform(task, lambda sign: watch(task, sign))
        return task, outcomes, process_time() - start

    def close(self) -> None:
        """Nothing was started."""


class Workers:
    """Performs tasks in persistent processes, one thread each, that write only in a folder of their own.

    A process is started when a task would have to wait for one; it stays until the end.
    """

    def __init__(
        self, count: int, store: Path, *, is_allowed: bool = False, patience: float = PATIENCE
    ) -> None:
        """`is_allowed` lets them run the user's own Python, which is ended after `patience` seconds without a
        sign of progress."""
        self.workers = count
        self._is_allowed, self._patience = is_allowed, patience
        self._store = store
        self._lock, self._is_closed = Lock(), False
        with told(store):
            self._own = ExitStack()
            self._folder = self._own.enter_context(own_folder(store))
        self._processes: list[subprocess.Popen[str]] = []
        self._waiting: queue.SimpleQueue[tuple[Task, Watch]] = queue.SimpleQueue()
        self._ended: queue.SimpleQueue[Done | Exception] = queue.SimpleQueue()
        self._unfinished = 0

    def submit(self, task: Task, watch: Watch) -> None:
        self._unfinished += 1
        if len(self._processes) < min(self.workers, self._unfinished):
            place = len(self._processes)
            self._processes.append(self._start(place))
            Thread(target=self._drive, args=(place,), daemon=True).start()
        self._waiting.put((task, watch))

    def ended(self, seconds: float | None = None) -> Done | None:
        try:
            result = self._ended.get(timeout=seconds)
        except queue.Empty:
            return None
        self._unfinished -= 1
        if isinstance(result, Exception):
            raise result
        return result

    def _start(self, place: int) -> subprocess.Popen[str]:
        """A worker in a session of its own: Ctrl-C is heard by the coordinator alone, which ends it."""
        folder = self._folder / str(place)
        with told(self._store):
            folder.mkdir(exist_ok=True)
        try:
            return subprocess.Popen(
                [
                    *(sys.executable, "-m", "gendsl_runtime.execute.worker", str(self._store), str(folder)),
                    *["allow-python"] * self._is_allowed,
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
        except OSError as error:
            reason = f"a worker process cannot be started: {error.strerror or error}"
            raise Problem("worker-died", reason, help="take fewer workers") from error

    def _drive(self, place: int) -> None:
        """Feeds one worker as long as there is a program; one that dies breaks its task and is replaced."""
        while True:
            task, watch = self._waiting.get()
            try:
                self._ended.put(self._answered(place, task, watch))
            except Exception as error:  # told to the caller, who else would wait for ever
                self._ended.put(error)
                return

    def _answered(self, place: int, task: Task, watch: Watch) -> Done:
        guard = Guard(self._processes[place], task, self._patience)
        try:
            done = self._ask(self._processes[place], task, watch, guard)
        except (OSError, ValueError):
            broken = guard.broken(self._replaced(place))
            return task, [broken] * len(task.nodes), 0.0
        finally:
            guard.stop()
        if guard.is_late:  # ended just when it had answered
            self._replaced(place)
        return done

    def _replaced(self, place: int) -> int:
        """Puts a new worker where one has died; how that ended. None is started once all are to end."""
        worker = self._processes[place]
        killed(worker)  # one whose answers make no sense may still be there
        code = worker.wait()
        with self._lock:
            if not self._is_closed:
                self._processes[place] = self._start(place)
        return code

    def _ask(self, worker: subprocess.Popen[str], task: Task, watch: Watch, guard: Guard) -> Done:
        assert worker.stdin is not None and worker.stdout is not None
        worker.stdin.write(task.model_dump_json() + "\n")
        worker.stdin.flush()
        while True:
            line = worker.stdout.readline()
            if not line:
                raise ValueError("the worker closed its output")
            guard.rest()
            message = json.loads(line)
            if "progress" in message:
                if message["progress"] is not None:
                    watch(task, message["progress"])
                continue
            if "glimpse" in message:
                watch(task, received(message["glimpse"]))
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
            ended(self._processes, seconds=RELUCTANT if self._is_allowed else PATIENT)
        self._own.close()
