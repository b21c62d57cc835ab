"""A disk that fills up at various moments of a run: told in one message, and nothing half-written is left."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gendsl_runtime.cli import main

SPEC = """
seeds 0..2
sweep lr in [0.01, 0.1]
dataset digits = sklearn_digits(train=1000, test=500, seed=seed)
train fit { model = mlp(hidden=[32]) dataset = digits optimizer = sgd(lr=lr) batch = 100 budget = 1 epochs }
analysis gap = generalization_gap(fit)
plot bars = bar(x=lr, y=gap.error)
"""
Disk = Callable[[int], Path]
ROOM = [(60, 1), (300, 1), (900, 1), (2100, 1), (300, 2), (900, 2)]
if os.environ.get("GENDSL_FAULTS") == "all":
    ROOM += [(random.Random(seed).randrange(50, 2150), 1) for seed in range(20)]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """Makes one small disk, of so many kB."""
    place = tmp_path / "disk"
    place.mkdir()

    def made(kilobytes: int) -> Path:
        try:
            command = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(place)]
            mounted = subprocess.run(command, capture_output=True, check=False, text=True)
        except FileNotFoundError:
            pytest.skip("there is no mount command")
        if mounted.returncode:
            pytest.skip(f"cannot mount a small disk: {mounted.stderr.strip()}")
        return place

    yield made
    if place.is_mount():
        subprocess.run(["umount", str(place)], check=True)


@pytest.fixture
def spec(tmp_path: Path) -> str:
    path = tmp_path / "t.gen"
    path.write_text(SPEC)
    return str(path)


def fill(place: Path) -> Path:
    """Takes all that is left of the disk."""
    block = bytes(4096)
    with (place / "fill").open("wb", buffering=0) as file:
        try:
            while file.write(block):
                pass
        except OSError:
            return place / "fill"
    return place / "fill"


def said(capfd: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    capfd.readouterr()
    code = main(list(words))
    found = capfd.readouterr()
    text = found.out + found.err
    assert "Traceback" not in text and "internal error" not in text, text
    return code, text


@pytest.mark.parametrize(("kilobytes", "workers"), ROOM)
def test_a_run_on_a_disk_that_fills_up(
    kilobytes: int, workers: int, disk: Disk, spec: str, capfd: pytest.CaptureFixture[str]
) -> None:
    place = disk(kilobytes)
    store = place / "st"
    code, text = said(capfd, "run", spec, "--store", str(store), "--workers", str(workers))
    assert code == 3 and text.count("[disk-full]") == 1
    assert list((store / "runs").glob("*")) == [] and list((store / "tmp").glob("*")) == []
    assert list(store.glob("attempts-*")) == []
    # With room, the same command goes on from what was kept.
    subprocess.run(["mount", "-o", "remount,size=20m", str(place)], check=True)
    code, text = said(capfd, "run", spec, "--store", str(store))
    assert code == 0 and (store / "runs/t-001/report.html").is_file()


def test_a_report_on_a_full_disk(disk: Disk, spec: str, capfd: pytest.CaptureFixture[str]) -> None:
    place = disk(8000)
    assert said(capfd, "run", spec, "--store", str(place / "st"))[0] == 0
    run = place / "st/runs/t-001"
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    fill(place)
    code, text = said(capfd, "report", "t", "--store", str(place / "st"))
    assert code == 3 and "[disk-full]" in text
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before
    assert said(capfd, "show", "t", "--store", str(place / "st"))[0] == 0
    code, text = said(capfd, "run", spec, "--store", str(place / "st"), "--set", "fit.batch=50")
    assert code == 3 and "[disk-full]" in text


def test_files_of_the_user_on_a_full_disk(
    disk: Disk, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = disk(200)
    ugly = place / "ugly.gen"
    ugly.write_text("seeds  0..4\nlet x=3")
    fill(place)
    monkeypatch.chdir(place)
    code, text = said(capfd, "fmt", "ugly.gen")
    assert code == 1 and "[unwritable-file]" in text and ugly.read_text() == "seeds  0..4\nlet x=3"
    assert said(capfd, "new", "first")[0] == 2
    assert sorted(os.listdir()) == ["fill", "ugly.gen"]  # noqa: PTH208


def test_a_disk_that_is_read_only(disk: Disk, spec: str, capfd: pytest.CaptureFixture[str]) -> None:
    place = disk(8000)
    store = ("--store", str(place / "st"))
    assert said(capfd, "run", spec, *store)[0] == 0
    subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
    assert said(capfd, "run", spec, *store)[0] == 0  # all is there
    assert said(capfd, "plan", spec, *store)[0] == 0
    assert said(capfd, "show", "t", *store)[0] == 0
    for words in (
        ("report", "t"),
        ("run", spec, "--seeds", "0..3"),
        ("run", spec, "--seeds", "0..3", "--workers", "2"),
    ):
        code, text = said(capfd, *words, *store)
        assert code == 3 and "[store-unwritable]" in text
