"""`gen cache`, `gen why`, `gen run --locked` and `--fail-fast`, on a store that a real run has filled."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from gendsl_runtime.cli import main

SPEC = """
experiment tiny {
    title = "Two widths"
}
seeds 0..1
sweep width in [2, 4]
dataset moons = two_moons(train=40, test=40)
model net = mlp(hidden=[width])
train fit {
    model = net
    dataset = moons
    optimizer = sgd(lr=0.1)
    batch = 20
    budget = 2 epochs
}
analysis gap = generalization_gap(fit)
"""
OWN = '''"""Data of one's own."""

import torch

from gendsl_runtime.component import Count, dataset
from gendsl_runtime.data import Dataset, Split


def shifted(labels):
    spread = 1.0
    return torch.stack([labels * spread, -labels * spread], dim=1).float()


@dataset(
    version=1, task="classification", shape=(2,), outputs=2, splits={"train": "count", "test": "count"}
)
def clouds(*, count: Count = 10) -> Dataset:
    """Two points."""
    labels = torch.arange(count) % 2
    split = Split(shifted(labels), labels)
    return Dataset({"train": split, "test": split}, task="classification", shape=(2,), outputs=2)
'''


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a spec that has run once."""
    folder = tmp_path_factory.mktemp("filled")
    (folder / "tiny.gen").write_text(SPEC)
    os.environ.pop("GENDSL_STORE", None)
    assert main(["run", str(folder / "tiny.gen"), "--store", str(folder / ".gendsl")]) == 0
    return folder


@pytest.fixture
def place(filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, as the working folder."""
    folder = tmp_path / "project"
    shutil.copytree(filled, folder)
    monkeypatch.chdir(folder)
    monkeypatch.delenv("GENDSL_STORE", raising=False)
    return folder


def said(capsys: pytest.CaptureFixture[str], *command: str, code: int = 0) -> str:
    capsys.readouterr()
    assert main(list(command)) == code
    return capsys.readouterr().out


def counts(capsys: pytest.CaptureFixture[str]) -> dict[str, int]:
    steps = json.loads(said(capsys, "cache", "ls", "--json"))["steps"]
    return {step["step"]: step["results"] for step in steps}


def test_ls_folds_by_experiment_and_step(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert counts(capsys) == {"moons": 1, "fit": 4, "gap": 4}
    text = said(capsys, "cache", "ls")
    assert re.search(r"^tiny +fit +train +4 ", text, re.MULTILINE)
    assert "9 results computed in" in text
    assert main(["cache", "ls", "nothing"]) == 2


@pytest.mark.parametrize("columns", [24, 40, 60, 200])
def test_ls_fits_the_terminal(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    assert all(len(line) <= columns for line in said(capsys, "cache", "ls").splitlines() if "/" not in line)


def test_verify_sets_damage_aside_and_the_next_run_mends_it(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "all whole" in said(capsys, "cache", "verify")
    with closing(sqlite3.connect(place / ".gendsl" / "index.sqlite")) as index, index:
        query = "SELECT digest, data FROM blobs JOIN results USING (digest) WHERE step = 'fit' AND place = 2"
        digest, data = index.execute(query).fetchone()
        index.execute(
            "UPDATE blobs SET data = ? WHERE digest = ?", (data[:-1] + bytes([data[-1] ^ 1]), digest)
        )
    found = json.loads(said(capsys, "cache", "verify", "--json", code=3))["damaged"]
    assert len(found) == 1 and (place / ".gendsl" / "quarantine" / found[0]).is_file()
    assert "all whole" in said(capsys, "cache", "verify")
    assert re.search(r"! fit .*1 damaged, 3 stored", said(capsys, "plan", "tiny.gen", code=2))
    assert "! 1 damaged" in said(capsys, "why", "tiny.gen", "fit", "width=4", "seed=0")
    assert "1 computed" in said(capsys, "run", "tiny.gen")
    said(capsys, "plan", "tiny.gen")


def test_rm_is_a_preview_without_yes_and_takes_that_step_alone(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = said(capsys, "cache", "rm", "tiny.gen", "fit")
    assert "would remove 4 results" in text and "--yes" in text
    assert counts(capsys) == {"moons": 1, "fit": 4, "gap": 4}
    said(capsys, "cache", "rm", "tiny.gen", "fit", "--seeds", "[1]", "--yes")
    assert counts(capsys) == {"moons": 1, "fit": 2, "gap": 4}
    assert re.search(r"fit .*2 new, 2 stored", said(capsys, "plan", "tiny.gen", code=2))
    assert "2 computed" in said(capsys, "run", "tiny.gen")
    assert main(["cache", "rm", "tiny.gen", "fitt"]) == 2
    assert "did you mean `fit`?" in capsys.readouterr().err


def test_what_was_removed_does_not_come_back_with_the_index(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said(capsys, "cache", "rm", "tiny.gen", "fit", "--yes")
    assert "5 results are indexed" in said(capsys, "cache", "reindex")
    assert counts(capsys) == {"moons": 1, "gap": 4}


def test_gc_keeps_what_recent_runs_use(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said(capsys, "run", "tiny.gen", "--set", "fit.optimizer.lr=0.2")
    everything = ["cache", "gc", "--older-than", "0m"]
    assert "nothing to remove" in said(capsys, *everything)
    text = said(capsys, *everything, "--keep-runs", "1")
    assert "would remove 8 results" in text and "to compute again" in text
    assert counts(capsys) == {"moons": 1, "fit": 8, "gap": 8}
    assert "nothing to remove" in said(capsys, "cache", "gc", "--keep-runs", "1")  # used within 30 days
    assert "removed 8 results" in said(capsys, *everything, "--keep-runs", "1", "--yes")
    assert counts(capsys) == {"moons": 1, "fit": 4, "gap": 4}
    said(capsys, "plan", "tiny.gen", "--set", "fit.optimizer.lr=0.2")
    said(capsys, "plan", "tiny.gen", code=2)


def test_gc_takes_files_that_belong_to_no_result(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stray = place / ".gendsl" / "objects" / "ab" / ("ab" * 32)
    stray.parent.mkdir(parents=True, exist_ok=True)
    stray.write_bytes(b"x" * 5000)
    assert "nothing to remove" in said(capsys, "cache", "gc")  # it may just be being written
    os.utime(stray, (1e9, 1e9))
    assert "1 files that belong to no result, 5 kB" in said(capsys, "cache", "gc")
    said(capsys, "cache", "gc", "--yes")
    assert not stray.exists()


def test_reindex_loses_nothing(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / ".gendsl" / "index.sqlite").write_bytes(b"no index")
    assert "9 results are indexed" in said(capsys, "cache", "reindex")
    said(capsys, "plan", "tiny.gen")
    assert "all whole" in said(capsys, "cache", "verify")


def test_a_store_that_is_not_there_is_not_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = ["--store", str(tmp_path / "none")]
    assert "0 results" in said(capsys, "cache", "ls", *place)
    assert "all whole" in said(capsys, "cache", "verify", *place)
    assert "nothing to remove" in said(capsys, "cache", "gc", *place)
    assert main(["cache", "reindex", *place]) == 2
    assert not (tmp_path / "none").exists()


def test_why_names_the_field_and_both_values(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, "why", "tiny.gen", "fit")
    assert "= 4 stored: computed for `fit` of tiny" in text
    text = said(capsys, "why", "tiny.gen", "gap", "--set", "fit.optimizer.lr=0.2")
    assert "~ 4 to compute; the nearest earlier result is of `gap` of tiny" in text
    assert re.findall(r": (\S+ -> \S+)$", text, re.MULTILINE) == ["0.1 -> 0.2"]
    text = said(capsys, "why", "tiny.gen", "fit", "width=4", "--seeds", "1..3")
    assert re.search(r"= 1 stored.*\n    at width=4, seed=1\n", text)
    assert "seed: 1 -> 2, 1 -> 3" in text


def test_why_follows_a_change_of_the_data_to_every_step(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = place / "tiny.gen"
    spec.write_text(SPEC.replace("train=40", "train=60"))
    for step, path in (("moons", "train"), ("fit", "dataset.train"), ("gap", "runs.dataset.train")):
        (reason,) = json.loads(said(capsys, "why", "tiny.gen", step, "--json"))
        assert reason["nearest"]["experiment"] == "tiny"
        for node in reason["nodes"]:
            assert node["changes"] == [{"path": path, "old": "40", "new": "60"}]


def test_why_of_something_new(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "tiny.gen").write_text(f"{SPEC}\nanalysis hard = loss(fit)\n")
    assert "+ 4 new: nothing like it was computed here" in said(capsys, "why", "tiny.gen", "hard")
    assert main(["why", "tiny.gen", "fit", "depth=3"]) == 2
    assert main(["why", "tiny.gen", "fit", "width=3"]) == 2


def test_a_lock_is_written_beside_every_run_and_holds(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = place / ".gendsl" / "runs" / "tiny-001" / "tiny.lock"
    pinned = json.loads(lock.read_text())
    assert [len(step["nodes"]) for step in pinned["steps"].values()] == [1, 4, 4]
    assert pinned["steps"]["fit"]["arguments"]["optimizer.momentum"] == "0"
    said(capsys, "run", "tiny.gen", "--locked")
    assert main(["run", "tiny.gen", "--locked", "--set", "fit.optimizer.lr=0.3"]) == 3
    error = capsys.readouterr().err
    assert "error[lock-differs]" in error and "fit.optimizer.lr: 0.1 -> 0.3" in error
    assert "key" not in error  # what follows from the difference is not told as well
    assert main(["run", "tiny.gen", "--locked", "--seeds", "0..2"]) == 3
    assert "fit(width=2, seed=2): - -> present" in capsys.readouterr().err


def test_a_lock_beside_the_spec_comes_first_and_pins_results(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = place / ".gendsl" / "runs" / "tiny-001" / "tiny.lock"
    digest = json.loads(lock.read_text())["steps"]["gap"]["nodes"][0]["digest"]
    (place / "tiny.lock").write_text(lock.read_text().replace(digest, "0" * 64))
    shutil.rmtree(place / ".gendsl" / "runs")
    assert main(["run", "tiny.gen", "--locked"]) == 3
    error = capsys.readouterr().err
    assert f"gap(width=2, seed=0) digest: {'0' * 64} -> {digest}" in error
    (place / "tiny.lock").write_text(lock_text := '{"lock": 99}')
    assert main(["run", "tiny.gen", "--locked"]) == 3
    assert "error[wrong-lock]" in capsys.readouterr().err and lock_text
    (place / "tiny.lock").unlink()
    assert main(["run", "tiny.gen", "--locked"]) == 3
    assert "error[no-lock]" in capsys.readouterr().err


def test_locks_of_equal_runs_are_equal_texts(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = (place / ".gendsl" / "runs" / "tiny-001" / "tiny.lock").read_text()
    said(capsys, "run", "tiny.gen", "--store", "other")
    assert (place / "other" / "runs" / "tiny-001" / "tiny.lock").read_text() == first


def test_failures_are_grouped_kept_and_tried_again(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = ("--set", "fit.optimizer.lr=1e30")
    assert main(["run", "tiny.gen", *wrong]) == 3
    out = capsys.readouterr()
    assert out.err.count("diverged") and "(4 of 4 failed)" in out.err
    assert re.search(r"x fit ", said(capsys, "plan", "tiny.gen", *wrong, code=2))
    assert "x 4 failed: diverged" in said(capsys, "why", "tiny.gen", "fit", *wrong)
    assert main(["run", "tiny.gen", *wrong]) == 3  # tried again: a failure is never served
    assert "(4 of 4 failed)" in capsys.readouterr().err


def test_fail_fast_ends_at_the_first_failure(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "tiny.gen", "--set", "fit.optimizer.lr=1e30", "--fail-fast"]) == 3
    error = capsys.readouterr().err
    assert "error[diverged]: a training failed, and nothing is begun after that" in error
    assert {path.name for path in (place / ".gendsl" / "runs").iterdir()} == {"tiny-001"}


def test_the_place_of_the_store(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from gendsl_runtime.store.place import store_place

    spec = place / "specs" / "deep" / "x.gen"
    spec.parent.mkdir(parents=True)
    assert store_place(spec) == place / ".gendsl"
    (place / "specs" / "gendsl.toml").write_text('store = "results"\n')
    assert store_place(spec) == place / "specs" / "results"
    monkeypatch.setenv("GENDSL_STORE", str(place / "named"))
    assert store_place(spec) == place / "named"
    assert store_place(spec, place / "given") == place / "given"
    monkeypatch.delenv("GENDSL_STORE")
    (place / "specs" / "gendsl.toml").write_text("")
    shutil.rmtree(place / ".gendsl")
    assert store_place(spec) == place / "specs" / ".gendsl"


def test_a_run_that_computes_nothing_loads_nothing_heavy(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said(capsys, "run", "tiny.gen")
    code = (
        "import sys; from gendsl_runtime.cli import main; assert main(['run', 'tiny.gen']) == 0; "
        "heavy = {'torch', 'xarray', 'pandas', 'pyarrow', 'scipy', 'altair', 'rich', 'networkx'} & set(sys.modules); "
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "nothing to compute" in done.stdout


def test_a_file_of_a_run_that_was_changed_is_written_anew(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "tiny-002: nothing to compute" in said(capsys, "run", "tiny.gen")  # the spec has another path now
    assert "tiny-002: nothing to compute" in said(capsys, "run", "tiny.gen")
    table = place / ".gendsl" / "runs" / "tiny-002" / "gap.parquet"
    content = bytearray(table.read_bytes())
    content[len(content) // 2] ^= 1
    table.write_bytes(content)
    assert "tiny-003: nothing to compute" in said(capsys, "run", "tiny.gen")


def test_why_names_the_function_of_ones_own_that_changed(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = place / "own.py"
    own.write_text(OWN)
    (place / "tiny.gen").write_text(
        SPEC.replace("two_moons(train=40, test=40)", "own.clouds(count=40)").replace(
            "seeds 0..1", 'import "own.py" as own\nseeds 0..1'
        )
    )
    said(capsys, "run", "tiny.gen", "--allow-python", "--only", "gap")
    own.write_text(f"# a comment\n{OWN}")
    assert "= 4 stored" in said(capsys, "why", "tiny.gen", "fit")
    own.write_text(OWN.replace("spread = 1.0", "spread = 2.0"))
    text = said(capsys, "why", "tiny.gen", "fit")
    line = OWN[: OWN.index("def shifted")].count("\n") + 1
    assert f"dataset: function `shifted` at own.py:{line} changed" in text
    assert "->" not in text
