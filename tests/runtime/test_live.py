"""What a run leaves while it goes on: a record that is right, cheap, and honest about how the run ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gendsl_runtime.claims.decide import decide
from gendsl_runtime.execute.watch import Watch
from gendsl_runtime.problem import Problem
from gendsl_runtime.progress import journal, sofar
from gendsl_runtime.progress.live import POINTS, TRAININGS, Live
from gendsl_runtime.progress.reading import record, record_ids
from gendsl_runtime.run import RunOptions, run
from tests.runtime.studies import BASE, Study
from tests.runtime.watched import kept

CLAIMED = f"""{BASE}
analysis gap = generalization_gap(fit)
claim learns: highest(gap.train_error) < 99%
claim never: lowest(gap.error) > 100%
"""


class Watching(Watch):
    """Keeps what is known of a run, and every claim that was told before the end."""

    def __init__(self) -> None:
        self.live: Live | None = None
        self.early: list[str] = []

    def lives(self, live: Live) -> None:
        self.live = live

    def done(self, task, outcomes) -> None:
        assert self.live is not None
        self.early += [verdict.name for verdict in self.live.claims]


def test_a_finished_run_says_so_and_names_its_folder(tmp_path: Path) -> None:
    study = Study(tmp_path)
    results = study.run(CLAIMED, workers=2)
    store = tmp_path / "store"
    (name,) = record_ids(store)
    found = record(store, name)
    assert found is not None
    assert (found.state["ended"], found.state["run"], found.share) == ("finished", "study-001", 1.0)
    assert found.state["steps"]["fit"][:5] == [2, 2, 2, 0, 0]
    (training,) = found.state["trainings"]
    assert (training["state"], training["members"], training["share"]) == ("done", 2, 1.0)
    assert [point[0] for point in training["points"]] == [1, 2, 3]
    told = [(one["name"], one["outcome"]) for one in found.state["claims"]]
    assert told == [(verdict.name, verdict.outcome) for verdict in results.verdicts]
    assert found.plan["text"] == CLAIMED
    assert {node["key"] for node in found.plan["graph"]["nodes"]} >= {"digits", "fit", "gap", "learns"}


def test_curves_come_from_workers_as_from_here(tmp_path: Path) -> None:
    def curve(workers: int) -> list[list[float]]:
        place = tmp_path / str(workers)
        place.mkdir()
        Study(place).run(BASE, workers=workers)
        found = record(place / "store", record_ids(place / "store")[0])
        assert found is not None
        return [one["points"] for one in found.state["trainings"]]

    # Two workers cut the stack; the lowest and highest of both pieces are those of the whole.
    (whole,), pieces = curve(1), curve(2)
    assert len(pieces) in (1, 2)
    for place, (epoch, _, low, high) in enumerate(whole):
        assert all(piece[place][0] == epoch for piece in pieces)
        assert min(piece[place][2] for piece in pieces) == low
        assert max(piece[place][3] for piece in pieces) == high


def test_claims_are_told_early_and_as_at_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sofar, "SHARE", 100.0)
    monkeypatch.setattr(sofar, "PAUSE", 0.0)
    path = tmp_path / "study.gen"
    path.write_text(CLAIMED)
    watching = Watching()
    finished = run(path, RunOptions(store=tmp_path / "store"), watching)
    assert {"learns", "never"} == set(watching.early), "told when the last analysis was done, before the end"
    # One by one they say what they say together; Holm's correction alone is of the end.
    assert watching.live is not None
    assert [verdict.outcome for verdict in watching.live.claims] == [v.outcome for v in finished.verdicts]
    assert decide(finished.results) == finished.verdicts


def test_claims_of_a_run_wait_for_what_they_may_cost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sofar, "SHARE", 0.0)
    monkeypatch.setattr(sofar, "PAUSE", 0.0)
    path = tmp_path / "study.gen"
    path.write_text(CLAIMED)
    watching = Watching()
    run(path, RunOptions(store=tmp_path / "store"), watching)
    assert watching.early == []


def test_looks_count_what_earlier_looks_have_computed(tmp_path: Path) -> None:
    path = tmp_path / "study.gen"
    text = CLAIMED.replace("seeds 0..1", "seeds 0..4 until decided, at most 10").replace(
        "highest(gap.train_error) < 99%",
        "mean(gap.error, over=seed) > mean(gap.train_error, over=seed) at 99.99%",
    )
    path.write_text(text)
    watching = Watching()
    run(path, RunOptions(store=tmp_path / "store"), watching)
    assert watching.live is not None
    now = watching.live.standing()["fit"]
    assert now.computed == now.stored == now.total
    assert watching.live.looks


FOREVER = """
import sys, time
from pathlib import Path
from gendsl_runtime.execute.watch import Watch
from gendsl_runtime.run import RunOptions, run
class Slow(Watch):
    def part(self, task, share):
        time.sleep(0.2)
        print(share, flush=True)
run(Path(sys.argv[1]), RunOptions(store=Path(sys.argv[2])), Slow())
"""


@pytest.mark.parametrize(("number", "ended"), [(signal.SIGKILL, "killed"), (signal.SIGINT, "stopped")])
def test_a_run_that_is_gone_is_known_as_ended(tmp_path: Path, number: signal.Signals, ended: str) -> None:
    path, store = tmp_path / "study.gen", tmp_path / "store"
    path.write_text(BASE.replace("3 epochs", "3000 epochs"))
    started = subprocess.Popen([sys.executable, "-c", FOREVER, path, store], stdout=subprocess.PIPE)
    assert started.stdout is not None
    for _ in range(6):
        started.stdout.readline()
    (name,) = record_ids(store)
    end = time.monotonic() + 30
    while (found := record(store, name)) is None or not found.state["trainings"]:
        assert time.monotonic() < end
        time.sleep(0.1)
    assert found.state["ended"] == ""
    assert 0 < found.share < 1
    started.send_signal(number)
    started.communicate(timeout=60)
    found = record(store, name)
    assert found is not None
    assert found.state["ended"] == ended
    Study(tmp_path).run(BASE)
    assert len(record_ids(store)) == 2, "the next run leaves it to be looked at"


def test_a_run_that_fails_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*given: object, **more: object) -> None:
        raise Problem("disk-full", "no space left")

    monkeypatch.setattr("gendsl_runtime.report.render.render_report", broken)
    path = tmp_path / "study.gen"
    path.write_text(BASE)
    with pytest.raises(Problem):
        run(path, RunOptions(store=tmp_path / "store"))
    found = record(tmp_path / "store", record_ids(tmp_path / "store")[0])
    assert found is not None
    assert (found.state["ended"], found.state["message"], found.state["run"]) == (
        "failed",
        "no space left",
        "",
    )


def test_a_record_that_cannot_be_written_keeps_nobody_from_running(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, content: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(journal, "_put", full)
    Study(tmp_path).run(BASE)
    assert record(tmp_path / "store", record_ids(tmp_path / "store")[0]) is None
    monkeypatch.setattr(journal.tempfile, "mkdtemp", lambda **given: full(tmp_path, given))
    Study(tmp_path).run(BASE + "\n# again")


def test_old_records_go_and_those_of_others_stay(tmp_path: Path) -> None:
    for number in range(journal.MOST + 3):
        folder = kept(tmp_path, f"tiny-{number:03d}")
        os.utime(folder, (time.time() - number,) * 2)
    os.utime(tmp_path / "live" / "tiny-000", (time.time() - 2 * journal.KEPT,) * 2)
    with journal.held(tmp_path / "live" / "tiny-052"):
        journal.swept(tmp_path)
        left = set(record_ids(tmp_path))
    assert "tiny-052" in left, "its run lives"
    assert "tiny-000" not in left, "ended long ago"
    assert left == {f"tiny-{number:03d}" for number in (*range(1, 51), 52)}


def test_writing_takes_less_than_a_hundredth(tmp_path: Path) -> None:
    """With the most that a record can hold: every stack, every point, a thousand steps' worth of text."""
    study = Study(tmp_path)
    study.run(CLAIMED)
    kept_live: list[Live] = []

    class Keep(Watch):
        def lives(self, live: Live) -> None:
            kept_live.append(live)

    path = tmp_path / "study.gen"
    path.write_text(CLAIMED + "\n# more")
    run(path, RunOptions(store=tmp_path / "store2"), Keep())
    live = kept_live[0]
    from gendsl_runtime.progress.live import Training
    from gendsl_runtime.train.glimpse import Point

    points = [Point(k, 1 / 3, 1 / 7, 2 / 3) for k in range(POINTS)]
    live._over = [Training(("fit",), "", 100, number=k, points=points) for k in range(TRAININGS)]
    start = time.process_time()
    for _ in range(10):
        content = json.dumps(journal.state_record(live))
    took = (time.process_time() - start) / 10
    pause = max(journal.PAUSE, journal.SLOWNESS * took)
    assert took / pause <= 0.01
    assert len(content) < 200_000
