"""A worker process: reads tasks as JSON lines, writes payloads to its own files, answers with their names.

`python -m gendsl_runtime.execute.worker STORE FOLDER [allow-python]` only reads the store, but for the checkpoints
of the stacks that it trains (decision 101), and leaves when its input ends. SIGTERM ends it at once, or in a training
after the next step, with its checkpoint written. It is the one place where the user's own Python runs.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from time import process_time
from typing import Any, TextIO

from gendsl_runtime.execute.perform import Performer
from gendsl_runtime.execute.task import Broken, Task
from gendsl_runtime.problem import Problem
from gendsl_runtime.python import allow
from gendsl_runtime.store import Store
from gendsl_runtime.store.checkpoints import Checkpoints
from gendsl_runtime.store.faults import told
from gendsl_runtime.train.glimpse import Glimpse


def main() -> None:
    """Serves tasks until the coordinator closes the pipe, or is gone."""
    store_path, folder = Path(sys.argv[1]), Path(sys.argv[2])
    if sys.argv[3:] == ["allow-python"]:
        allow()
    # What components print must not end up between the answers, nor what they read come from the tasks.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    tasks = os.fdopen(os.dup(sys.stdin.fileno()), "r")
    with Path(os.devnull).open() as nothing:
        os.dup2(nothing.fileno(), sys.stdin.fileno())
    try:
        _serve(store_path, folder, tasks, answers)
    except KeyboardInterrupt:
        return  # asked to end, in the middle of a training, whose checkpoint is written
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), answers.fileno())  # what is buffered has nowhere to go


def _serve(store_path: Path, folder: Path, tasks: TextIO, answers: TextIO) -> None:
    """Answers each line; a fault that is none of the task's, such as a full disk, is the last answer."""
    try:
        with Store.open(store_path) as store:
            performer = Performer(lambda digest: store.read(digest), Checkpoints(store_path))
            for count, line in enumerate(tasks):
                answer(performer, Task.model_validate_json(line), folder / str(count), answers)
    except Problem as problem:
        said = {"code": problem.code, "message": problem.message, "help": problem.help}
        print(json.dumps({"problem": said}), file=answers)


def answer(performer: Performer, task: Task, stem: Path, answers: TextIO) -> None:
    """Performs one task and says where its payloads are."""
    start = process_time()
    print(json.dumps({"progress": None}), file=answers)  # it has begun
    outcomes = performer.perform(task, lambda sign: print(json.dumps(_said(sign)), file=answers))
    seconds = process_time() - start
    with told(stem.parent):
        written = list(_written(outcomes, stem))
    print(json.dumps({"outcomes": written, "seconds": seconds}), file=answers)


def _said(sign: float | Glimpse) -> dict[str, Any]:
    return {"glimpse": asdict(sign)} if isinstance(sign, Glimpse) else {"progress": sign}


def _written(outcomes: list[bytes | Broken], stem: Path) -> Iterator[dict[str, str | None]]:
    for place, outcome in enumerate(outcomes):
        if isinstance(outcome, Broken):
            yield outcome.model_dump()
            continue
        path = stem.with_name(f"{stem.name}-{place}")
        path.write_bytes(outcome)
        yield {"file": str(path)}


if __name__ == "__main__":
    main()
