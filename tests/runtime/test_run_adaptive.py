"""Runs whose seeds go on until every claim is decided: stopped, continued, with workers, locked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gendsl_runtime.archive import load
from gendsl_runtime.cli import main
from gendsl_runtime.execute.watch import Watch
from gendsl_runtime.problem import Problem
from gendsl_runtime.run import Finished, RunOptions, run

SPEC = """
experiment going { title = "Going on" }
seeds 0..3 until decided, at most 12
dataset moons = two_moons(train=40, test=40, noise=0.2, seed=seed)
train fit {
    dataset = moons
    model = mlp(hidden=[4])
    optimizer = sgd(lr=0.1)
    batch = 10
    budget = 2 epochs
}
train other extends fit { seed = 1000 + seed }
sweep run in [fit, other]
analysis gap = generalization_gap(run)
claim easy: mean(gap.train_error where run == fit) < 99.9%
"""


class Seen(Watch):
    """Keeps what was computed and looked at; stops like Ctrl-C at a look or a result."""

    def __init__(self, *, stop_at_look: int | None = None, stop_after: int | None = None) -> None:
        self.trained, self.looks = 0, list[tuple[int, list[str]]]()
        self.stop_at_look, self.stop_after = stop_at_look, stop_after

    def done(self, task, outcomes) -> None:
        self.trained += len(outcomes) if task.kind == "train" else 0
        if self.stop_after is not None and self.trained >= self.stop_after:
            raise KeyboardInterrupt

    def looked(self, looks, number, verdicts) -> None:
        self.looks.append((looks[number], [verdict.outcome for verdict in verdicts]))
        if self.stop_at_look == number:
            raise KeyboardInterrupt


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "going.gen"
    path.write_text(SPEC)
    return path


def went(path: Path, watch: Seen | None = None, **options) -> tuple[Finished, Seen]:
    watch = watch or Seen()
    return run(path, RunOptions(store=path.parent / "store", **options), watch), watch


def add_open_claim(path: Path) -> None:
    """A claim that hardly any number of seeds decides: two runs that differ by nothing but chance."""
    claim = "claim open: mean(gap.error where run == fit) > mean(gap.error where run == other)"
    path.write_text(f"{SPEC}{claim}\n")


def test_it_ends_at_the_first_look_that_leaves_nothing_open(spec: Path) -> None:
    finished, seen = went(spec)
    assert seen.looks == [(4, ["supported"])]
    assert seen.trained == 8
    assert len(finished.spec.axes["seed"].values) == 4


def test_it_goes_on_to_the_most_there_may_be_with_new_seeds_only(spec: Path) -> None:
    add_open_claim(spec)
    finished, seen = went(spec)
    assert [count for count, _ in seen.looks] == [4, 8, 12]
    assert seen.trained == 24
    assert finished.results["gap"].sizes["seed"] == 12
    easy, hard = finished.verdicts
    assert [look.seeds for look in easy.looks] == [4]
    assert [look.seeds for look in hard.looks] == [4, 8, 12]
    (fit,) = (step for step in finished.results.record.steps if step.name == "fit")
    assert (fit.total, fit.computed, fit.cached) == (12, 12, 0)


def test_again_it_answers_from_the_store(spec: Path) -> None:
    add_open_claim(spec)
    first, _ = went(spec)
    again, seen = went(spec)
    assert (seen.trained, seen.looks, again.is_new) == (0, [], False)
    assert again.folder == first.folder
    assert again.verdicts == first.verdicts
    assert again.spec == first.spec


@pytest.mark.parametrize("stop", [{"stop_at_look": 0}, {"stop_at_look": 1}, {"stop_after": 12}])
def test_stopped_in_the_middle_it_goes_on_and_says_the_same(spec: Path, tmp_path: Path, stop) -> None:
    add_open_claim(spec)
    with pytest.raises(KeyboardInterrupt):
        went(spec, Seen(**stop))
    continued, seen = went(spec)
    assert seen.trained < 24
    whole = run(spec, RunOptions(store=tmp_path / "other"))
    assert continued.verdicts == whole.verdicts
    assert continued.results["gap"].identical(whole.results["gap"])


def test_workers_find_the_same(spec: Path, tmp_path: Path) -> None:
    add_open_claim(spec)
    alone, _ = went(spec)
    together = run(spec, RunOptions(store=tmp_path / "other", workers=2))
    assert together.verdicts == alone.verdicts


def test_a_lock_holds_the_seeds_that_were_run(spec: Path) -> None:
    add_open_claim(spec)
    first, _ = went(spec)
    assert not went(spec, is_locked=True)[0].is_new
    lock = next(first.folder.glob("*.lock"))
    nodes = json.loads(lock.read_text())["steps"]["gap"]["nodes"]
    assert {node["at"]["seed"] for node in nodes} == set(range(12))
    spec.write_text(spec.read_text().replace("budget = 2", "budget = 3"))
    with pytest.raises(Problem, match=r"fit\.budget: 2 epochs -> 3 epochs"):
        went(spec, is_locked=True)


def test_fixed_seeds_find_what_the_looks_have_computed(spec: Path) -> None:
    add_open_claim(spec)
    went(spec)
    spec.write_text(spec.read_text().replace("0..3 until decided, at most 12", "0..11"))
    finished, seen = went(spec)
    assert seen.trained == 0
    assert all(verdict.looks == () for verdict in finished.verdicts)


def test_folder_terminal_and_report_show_each_look(spec: Path, capsys) -> None:
    add_open_claim(spec)
    finished, _ = went(spec)
    assert load(finished.folder).verdicts == finished.verdicts
    assert main(["show", str(finished.folder)]) == 0
    shown = capsys.readouterr().out
    assert "4 seeds: supported" in shown
    assert "12 seeds: undecided" in shown
    page = (finished.folder / "report.html").read_text()
    assert "3 looks of at most 3: 4, 8, 12 seeds" in page


def test_the_plan_says_how_far_it_may_go(spec: Path, capsys) -> None:
    assert main(["plan", str(spec), "--store", str(spec.parent / "store")]) == 2
    assert "first look: 4 seeds, up to 12 in 3 looks, until every claim is decided" in capsys.readouterr().out
    went(spec)
    assert main(["plan", str(spec), "--store", str(spec.parent / "store")]) == 0
    add_open_claim(spec)
    assert main(["plan", str(spec), "--store", str(spec.parent / "store"), "--json"]) == 2
    said = json.loads(capsys.readouterr().out.partition("\n{")[2].join(["{", ""]))
    assert said["looks"] == [4, 8, 12]
