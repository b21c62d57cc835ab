"""Runs whose seeds go on, killed within and between looks: continued, they say what undisturbed ones do."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gendsl_runtime.archive import load
from gendsl_runtime.cli import main
from gendsl_runtime.results import Results

SPEC = """
experiment going { title = "Going on" }
seeds 0..3 until decided, at most 8
sweep width in [2, 3]
dataset moons = two_moons(train=40, test=40, noise=0.2, seed=seed)
train fit { dataset = moons model = mlp(hidden=[width]) optimizer = sgd(lr=0.1) batch = 10 budget = 2 epochs }
train other extends fit { seed = 1000 + seed }
sweep run in [fit, other]
analysis gap = generalization_gap(run)
claim easy: mean(gap.train_error where run == fit and width == 2) < 99.9%
claim open: mean(gap.error where run == fit) > mean(gap.error where run == other)
claim exact: lowest(gap.train_error) >= 0
"""
CHILD = """
import os, signal, sys
from pathlib import Path
from gendsl_runtime.execute.watch import Watch
from gendsl_runtime.run import RunOptions, run


class Deadly(Watch):
    trained = 0

    def done(self, task, outcomes):
        Deadly.trained += len(outcomes) if task.kind == "train" else 0
        if sys.argv[1] == "results" and Deadly.trained >= int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)

    def looked(self, looks, number, verdicts):
        if sys.argv[1] == "look" and number == int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)


run(Path("going.gen"), RunOptions(store=Path("store")), Deadly())
"""


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Results:
    folder = tmp_path_factory.mktemp("undisturbed")
    return _finished(folder, [])


def _finished(folder: Path, options: list[str]) -> Results:
    (folder / "going.gen").write_text(SPEC)
    assert main(["run", str(folder / "going.gen"), "--store", str(folder / "store"), *options]) == 0
    return load(folder / "store" / "runs" / "going-001")


def _killed(folder: Path, *moment: str) -> None:
    (folder / "going.gen").write_text(SPEC)
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    code = subprocess.run([sys.executable, "-c", CHILD, *moment], cwd=folder, env=environment, check=False)
    assert code.returncode == -signal.SIGKILL


def _assert_same(found: Results, reference: Results) -> None:
    assert found.verdicts == reference.verdicts
    assert [look.seeds for look in found.verdicts[1].looks] == [4, 8]
    assert found["gap"].identical(reference["gap"])


@pytest.mark.parametrize(
    "moments",
    [(("look", "0"), ("results", "1"))],
    ids=["after the first look, then within the second"],
)
def test_killed_looks_are_continued(
    undisturbed: Results, tmp_path: Path, moments: tuple[tuple[str, str], ...]
) -> None:
    for moment in moments:
        _killed(tmp_path, *moment)
        assert not list((tmp_path / "store" / "runs").glob("going-*")), "a run that is not over has no folder"
    _assert_same(_finished(tmp_path, []), undisturbed)


def test_results_removed_between_looks_are_computed_again(
    undisturbed: Results, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _killed(tmp_path, "results", "17")
    place = ["--store", str(tmp_path / "store")]
    assert main(["cache", "rm", str(tmp_path / "going.gen"), "fit", "other", "--yes", "--json", *place]) == 0
    assert json.loads(capsys.readouterr().out)["results"] > 16, "those of the second look, too"
    _assert_same(_finished(tmp_path, []), undisturbed)
