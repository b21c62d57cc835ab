"""Python of the user's, from the command line: asked for, isolated, exact, and computed again when it changes."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

import gendsl
from gendsl.diagnostic import DiagnosticError
from gendsl_runtime.cli import main

SPEC = """
import "nets.py" as nets

seeds 0..1

dataset points = nets.points(train=24)
model net = nets.Net(width=4)

train fit {
    model = net
    dataset = points
    optimizer = sgd(lr=0.1)
    batch = 7
    budget = 2 epochs
}

analysis acc = accuracy(fit, on=train)
analysis own = nets.size(fit)

claim fine: lowest(own.size) > 0
"""
NETS = '''
from pathlib import Path

import numpy as np
import torch
from torch import nn

from gendsl_runtime.component import Count, analysis, dataset
from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.runs import Runs
from scale import scaled

with (Path(__file__).parent / "imported").open("a") as mark:
    mark.write("x")


class Net(nn.Module):
    """A network."""

    def __init__(self, inputs: int, outputs: int, *, width: Count = 4) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(inputs, width), nn.ReLU(), nn.Dropout(0.1), nn.Linear(width, outputs))

    def forward(self, x):
        MODEL
        return self.layers(x)


@dataset(version=1, task="classification", shape=(2,), outputs=2, splits={"train": "train"})
def points(*, train: Count = 8) -> Dataset:
    """Points."""
    DATA
    inputs = torch.from_numpy(np.random.randn(train, 2).astype(np.float32))
    return Dataset({"train": Split(inputs, (inputs[:, 0] > 0).long())}, "classification", (2,), 2)


@analysis(version=1, gives={"size": "1"})
def size(runs: Runs):
    """The size of the weights."""
    return {"size": scaled(sum(value.flatten(1).square().sum(1) for value in runs.state.parameters.values()))}
'''
SCALE = '''"""Helps."""

FACTOR = 2.0


def scaled(value):
    return FACTOR * value


def other():
    return 1
'''


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.gen").write_text(SPEC)
    write(tmp_path)
    return tmp_path


def write(place: Path, *, model: str = "pass", data: str = "pass") -> None:
    (place / "nets.py").write_text(NETS.replace("MODEL", model).replace("DATA", data))
    (place / "scale.py").write_text(SCALE)


def run(*more: str) -> int:
    return main(["run", "own.gen", "--store", "store", *more])


def computed(capfd: pytest.CaptureFixture[str]) -> int:
    """How many nodes the last command computed."""
    out = capfd.readouterr().out
    found = re.search(r": (\d+) computed|: nothing (?:to compute|computed)", out)
    assert found, out
    return int(found[1] or 0)


def values(store: Path) -> dict[str, list[float]]:
    found = gendsl.load("own", store=store)
    return {"acc": found["acc"].accuracy.values.tolist(), "own": found["own"]["size"].values.tolist()}


def test_nothing_of_the_file_runs_unless_it_is_allowed(place, capfd):
    assert main(["validate", "own.gen"]) == 0
    assert main(["plan", "own.gen", "--store", "store"]) == 2
    capfd.readouterr()
    assert run() == 1
    said = capfd.readouterr().err
    assert said.count("error[") == 1 and "error[python-not-allowed]" in said
    assert (
        "`nets.py`" in said and "--allow-python" in said and "`allow_python = true` in `gendsl.toml`" in said
    )
    assert "own.gen:2:8" in said
    with pytest.raises(DiagnosticError):
        gendsl.run("own.gen", store="store")
    assert not (place / "imported").exists()
    assert not list(place.rglob("*.pyc"))


def test_the_setting_of_the_project_allows_it(place, capfd):
    (place / "gendsl.toml").write_text("allow_python = true\n")
    before = set(sys.modules)
    assert run() == 0
    assert computed(capfd) == 7
    assert (place / "imported").exists()
    assert not any("gendsl_user" in name for name in set(sys.modules) - before)
    (place / "gendsl.toml").write_text("allow_pyton = true\n")
    assert run() == 1
    assert "did you mean `allow_python`" in capfd.readouterr().err


def test_workers_seeds_and_the_python_face_give_the_same(place, capfd):
    assert run("--allow-python") == 0
    assert computed(capfd) == 7
    first = values(place / "store")
    assert run("--allow-python") == 0
    assert computed(capfd) == 0
    assert main(["run", "own.gen", "--allow-python", "--store", "other", "--workers", "2", "--no-fuse"]) == 0
    assert values(place / "other") == first
    found = gendsl.run("own.gen", store=place / "third", seeds="1..1", allow_python=True)
    assert found["own"]["size"].values.tolist() == first["own"][1:]


def test_a_change_runs_exactly_what_it_must(place, capfd):
    """Nodes: 1 dataset, 2 trainings, 4 analyses."""
    assert run("--allow-python") == 0
    assert computed(capfd) == 7
    (place / "scale.py").write_text(
        SCALE.replace('"""Helps."""', "# a comment").replace("return 1", "return 2")
    )
    (place / "nets.py").write_text(NETS.replace("MODEL", "pass  # here too").replace("DATA", "pass"))
    assert run("--allow-python") == 0
    assert computed(capfd) == 0
    (place / "scale.py").write_text(SCALE.replace("2.0", "3.0"))
    assert run("--allow-python") == 0
    assert computed(capfd) == 2
    write(place)
    assert run("--allow-python") == 0
    assert computed(capfd) == 0
    write(place, model="x = x * 1.5")
    assert run("--allow-python") == 0
    assert computed(capfd) == 6
    write(place, model="x = x * 1.5", data="train = int(train)")  # the same points: what follows is cut off
    assert run("--allow-python") == 0
    assert computed(capfd) == 1


def test_a_failure_is_told_in_the_users_lines(place, capfd):
    write(place, model="raise ValueError('<script>alert(1)</script> \\x1b[31m')")
    assert run("--allow-python") == 3
    said = capfd.readouterr().err
    line = NETS[: NETS.index("MODEL")].count("\n") + 1
    assert f"`Net` raised ValueError: <script>alert(1)</script> ?[31m (nets.py:{line})" in said
    assert "Traceback" not in said
    page = (place / "store" / "runs" / "own-001" / "report.html").read_text()
    assert "<script>alert(1)" not in page and "&lt;script&gt;alert(1)" in page


def test_what_hangs_is_ended_and_the_rest_goes_on(place, capfd):
    write(place, model="while x.mean() > -9: pass")
    assert run("--allow-python", "--time-limit", "2 s") == 3
    said = capfd.readouterr().err
    assert "error[time-limit]" in said and "no progress for 2 s" in said and "nets.py" in said
    assert gendsl.load("own", store=place / "store").record is not None
    with pytest.raises(SystemExit):
        run("--time-limit", "soon")
