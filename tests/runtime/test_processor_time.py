"""What a step is said to have taken is processor time, whoever performs it: waiting takes none."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from gendsl_runtime.execute.local import InProcess
from gendsl_runtime.execute.perform import Performer
from gendsl_runtime.execute.task import Task
from gendsl_runtime.execute.worker import answer


def waits() -> None:
    time.sleep(0.4)


def works() -> None:
    end = time.process_time() + 0.4
    while time.process_time() < end:
        pass


def in_process(performer: Performer, task: Task, folder: Path) -> float:
    executor = InProcess(performer)
    executor.submit(task, lambda *_: None)
    return executor.ended()[2]


def in_a_worker(performer: Performer, task: Task, folder: Path) -> float:
    answers = io.StringIO()
    answer(performer, task, folder / "0", answers)
    return float(json.loads(answers.getvalue().splitlines()[-1])["seconds"])


@pytest.mark.parametrize("place", [in_process, in_a_worker])
@pytest.mark.parametrize(("how", "least", "most"), [(waits, 0.0, 0.2), (works, 0.4, 1.0)])
def test_seconds_are_those_of_the_processor(
    place: Callable[..., float], how: Callable[[], None], least: float, most: float, tmp_path: Path
) -> None:
    def perform(task: Task, watch: Any) -> list[bytes]:
        how()
        return [b""]

    performer = cast(Performer, SimpleNamespace(perform=perform))
    assert least <= place(performer, cast(Task, SimpleNamespace(nodes=[0])), tmp_path) <= most
