"""Every shipped spec runs in its smoke preset, writes its report, and computes nothing the second time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gendsl_runtime.cli import main

SPECS = sorted((Path(__file__).parents[2] / "specs").rglob("*.gen"))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store")


@pytest.mark.parametrize("spec", SPECS, ids=lambda path: path.stem)
def test_smoke_run_is_whole_and_then_cached(
    spec: Path, store: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    command = ["run", str(spec), "--preset", "smoke", "--allow-python", "--store", str(store)]
    assert main(command) == 0, capfd.readouterr().err
    first = store / "runs" / f"{spec.stem}-001"
    results = json.loads((first / "results.json").read_text())
    assert results["failures"] == []
    assert len(results["verdicts"]) == spec.read_text().count("\nclaim ")
    figures = [path.stem for path in (first / "figures").glob("*.svg")]
    assert len(figures) == spec.read_text().count("\nplot ")
    assert (first / "report.html").stat().st_size < 3_000_000

    capfd.readouterr()
    assert main(command) == 0
    assert "nothing to compute" in capfd.readouterr().out
    assert [folder.name for folder in (store / "runs").glob(f"{spec.stem}-*")] == [first.name]


@pytest.mark.parametrize("spec", SPECS, ids=lambda path: path.stem)
def test_whole_plan_is_within_the_limit(
    spec: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    said = main(["plan", str(spec), "--json", "--store", str(tmp_path)])
    assert said in (0, 2), capfd.readouterr().err
    assert "plan-too-large" not in capfd.readouterr().err
