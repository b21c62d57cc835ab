"""The terminal's view: what it says, in any size of window, and what it leaves behind."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from gendsl_runtime.cli.screen import bar, closing, count, screen, sparkline, state
from gendsl_runtime.execute.schedule import Standing
from gendsl_runtime.progress.live import Training
from gendsl_runtime.train.glimpse import Point
from tests.runtime.reported import results

GEN = [sys.executable, "-c", "from gendsl_runtime.cli import main; raise SystemExit(main())"]
SPEC = """
seeds 0..1
sweep width in [4, 8]
dataset digits = sklearn_digits(train=60, test=40)
train fit {
    model = mlp(hidden=[width])
    dataset = digits
    optimizer = sgd(lr=0.1)
    batch = 20
    budget = EPOCHS epochs
}
analysis gap = generalization_gap(fit)
claim learns: mean(gap.train_error where width == 4, over=seed) < 95% at 95%
"""


def live(steps: int = 3, stacks: int = 2) -> SimpleNamespace:
    """What is known of a run of many declarations, halfway."""
    found = results()
    names = list(found.spec.steps) or ["fit"]
    component = found.spec.steps[names[0]]
    spec = found.spec.model_copy(
        update={"steps": {f"a_rather_long_name_{k}": component for k in range(steps)}}
    )
    kinds = [
        Standing(1, 1, 1),
        Standing(1_000, 300, 200, 100, 0),
        Standing(50, 0, 0, 0, 0),
        Standing(9, 8, 8, 0, 1),
    ]
    standing = {name: kinds[place % 4] for place, name in enumerate(spec.steps)}
    points = [Point(k, 2 / k, 1 / k, 3 / k) for k in range(1, 90)]
    trainings = [
        Training(("fit",), "width is 64", 100, active=99, share=0.5, rate=12_345.0, points=points, number=k)
        for k in range(stacks)
    ]
    return SimpleNamespace(
        spec=spec,
        seconds=83.4,
        left=191.0,
        stage_name="computing",
        is_adaptive=False,
        looks=(),
        claims=list(found.verdicts)[:1],
        holders=(),
        standing=lambda: standing,
        trainings=lambda: trainings,
    )


def drawn(shown: object, width: int) -> list[str]:
    console = Console(width=width, height=100, record=True, file=io.StringIO(), force_terminal=True)
    console.print(shown)
    return console.export_text().rstrip("\n").split("\n")


@pytest.mark.parametrize("width", [20, 39, 60, 80, 200])
@pytest.mark.parametrize("height", [1, 5, 12, 24, 60])
@pytest.mark.parametrize("steps", [1, 3, 40])
def test_every_window_is_kept(width: int, height: int, steps: int) -> None:
    lines = drawn(screen(live(steps), width=width, height=height), width)
    assert len(lines) <= height
    assert all(len(line) <= width for line in lines)


def test_it_says_what_there_is_to_say_in_eighty_columns() -> None:
    text = "\n".join(drawn(screen(live(), "waiting for another run: pid 7", width=80, height=24), 80))
    for said in (
        "waiting for another run",
        "computing",
        "83",
        "left",
        "300/1,000",
        "100 running",
        "100 stored",
    ):
        assert said in text.replace("1 min 23 s", "83"), said
    assert "width is 64" in text and "×99/100" in text and "12.3k steps/s" in text and "epoch 89" in text
    assert "claims so far" in text


def test_of_many_declarations_what_runs_and_what_failed_comes_first() -> None:
    lines = drawn(screen(live(40), width=80, height=30), 80)
    shown = [line for line in lines if line.startswith(("●", "✗", "○", "✓"))]
    assert sum(line.startswith("●") for line in shown) == 10, "all that run"
    assert any("more:" in line and "done" in line for line in lines)


def test_the_closing_summary_says_what_became_of_each() -> None:
    lines = drawn(closing(live(4), width=80), 80)
    assert len(lines) == 4
    assert "200 computed, 100 stored" in lines[1]
    assert "1 failed" in lines[3]


def test_sparklines() -> None:
    assert sparkline([], 5) == ""
    assert sparkline([1.0, 1.0], 5) == "▁▁"
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7], 8) == "▁▂▃▄▅▆▇█"
    assert len(sparkline(list(range(1000)), 20)) == 20
    assert sparkline([100.0, 10.0, 1.0], 3) == "█▅▁", "by logarithms: the middle is in the middle"


def test_words() -> None:
    assert [count(value) for value in (1.0, 950.0, 3210.0, 1.5e6, 2e9)] == ["1", "950", "3.21k", "1.5M", "2G"]
    assert [bar(share, 4).plain for share in (0, 0.5, 1, 2)] == ["────", "━━──", "━━━━", "━━━━"]
    assert state(Standing(2, 2)) == "done" and state(Standing(2, 1, failed=1)) == "failed"
    assert state(Standing(2, 1, running=1)) == "running" and state(Standing(2, 1)) == "waiting"


def terminal(spec: Path, *, width: int = 80, interrupt: bool = False, **environment: str) -> tuple[int, str]:
    """Exit code and output of a run in a terminal, whose modes are as they were."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    before = termios.tcgetattr(slave)
    clean = {
        name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS", "LINES")
    }
    running = subprocess.Popen(
        [*GEN, "run", str(spec), "--store", str(spec.parent / "store")],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env={**clean, "TERM": "xterm-256color", "LANG": "C.UTF-8", **environment},
        start_new_session=True,
    )
    said, end = b"", time.monotonic() + 120
    while running.poll() is None or select.select([master], [], [], 0.2)[0]:
        assert time.monotonic() < end
        if select.select([master], [], [], 0.2)[0]:
            said += os.read(master, 1 << 16)
        if interrupt and b"epoch" in said:
            running.send_signal(signal.SIGINT)
            interrupt = False
    assert termios.tcgetattr(slave) == before
    os.close(slave)
    os.close(master)
    return running.returncode, said.decode()


def test_a_terminal_sees_the_run_and_is_left_as_it_was(tmp_path: Path) -> None:
    spec = tmp_path / "tiny.gen"
    spec.write_text(SPEC.replace("EPOCHS", "2500"))
    code, said = terminal(spec)
    assert code == 0
    assert "computing" in said and "stacks in training" in said and "claims so far" in said
    assert said.count("\033[?25l") == said.count("\033[?25h") > 0, "the cursor comes back"
    # The view is gone in the end: what stays is what was planned, the summary and the verdicts.
    rest = re.sub(r"\033\[[0-9;?]*[a-zA-Z]", "", said.rpartition("\033[?25h")[2])
    assert re.search(r"✓ fit\s+4 computed", rest)
    assert "learns" in rest and "report: " in rest


def test_ctrl_c_leaves_a_sane_terminal(tmp_path: Path) -> None:
    spec = tmp_path / "tiny.gen"
    spec.write_text(SPEC.replace("EPOCHS", "100000"))
    code, said = terminal(spec, interrupt=True)
    assert code == 130
    assert said.count("\033[?25l") == said.count("\033[?25h") > 0
    assert "stopped; what was finished is kept" in said.rpartition("\033[?25h")[2]


def test_no_color_is_heard(tmp_path: Path) -> None:
    spec = tmp_path / "tiny.gen"
    spec.write_text(SPEC.replace("EPOCHS", "100"))
    code, said = terminal(spec, width=40, NO_COLOR="1")
    assert code == 0
    assert not re.search(r"\033\[[0-9;]*3[0-7]m", said)


@pytest.mark.parametrize("environment", [{"TERM": "dumb"}, {"PYTHONIOENCODING": "ascii"}])
def test_where_there_can_be_no_view_there_are_lines(tmp_path: Path, environment: dict[str, str]) -> None:
    spec = tmp_path / "tiny.gen"
    spec.write_text(SPEC.replace("EPOCHS", "20"))
    code, said = terminal(spec, **environment)
    assert code == 0
    assert "\033[?25l" not in said
    assert "\ntiny: 4 trainings, 0 of 9 results stored" in said
