"""The runner end to end, on a spec small enough to run many times."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gendsl_runtime.cli import main
from gendsl_runtime.run import Finished, RunOptions, Watch, run

SPEC = """
experiment tiny { title = "Tiny" }
seeds 0..2
sweep lr in [0.01, 0.1]
dataset moons = two_moons(train=40, test=40, noise=0.2, seed=seed)
model net = mlp(hidden=[4])
train fit {
    model = net
    dataset = moons
    optimizer = sgd(lr=lr)
    batch = 10
    budget = 3 epochs
}
train wide extends fit { model = mlp(hidden=[8]) }
sweep run in [fit, wide]
analysis gap = generalization_gap(run)
claim learns: mean(gap.train_accuracy where lr == 0.1) > 0 at 95%
"""


class Counter(Watch):
    """Counts what is computed."""

    def __init__(self) -> None:
        self.computed: list[str] = []

    def done(self, task, outcomes) -> None:
        self.computed += [task.kind] * len(outcomes)


def finished(path: Path, store: Path, **options: object) -> tuple[Finished, Counter]:
    counter = Counter()
    return run(path, RunOptions(store=store, **options), counter), counter  # type: ignore[arg-type]


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.gen"
    path.write_text(SPEC)
    return path


def digests(run: Finished) -> list[str]:
    assert run.results.record is not None
    return [step.digest for step in run.results.record.steps]


def test_second_run_computes_nothing_and_says_the_same(spec: Path, tmp_path: Path) -> None:
    first, counter = finished(spec, tmp_path / "store")
    assert sorted(counter.computed) == ["analysis"] * 12 + ["dataset"] * 3 + ["train"] * 12
    second, counter = finished(spec, tmp_path / "store")
    assert counter.computed == []
    assert second.results["gap"].identical(first.results["gap"])
    assert first.is_new and not second.is_new
    assert first.folder == second.folder == tmp_path / "store" / "runs" / "tiny-001"


def test_a_new_claim_is_a_new_run_that_computes_nothing(spec: Path, tmp_path: Path) -> None:
    finished(spec, tmp_path / "store")
    spec.write_text(SPEC + "claim more: mean(gap.error) < 1 at 95%\n")
    second, counter = finished(spec, tmp_path / "store")
    assert counter.computed == [] and second.is_new and second.folder.name == "tiny-002"
    assert len(second.results.verdicts) == 2


def test_seeds_are_replicates_more_of_them_run_only_the_new(spec: Path, tmp_path: Path) -> None:
    finished(spec, tmp_path / "store")
    spec.write_text(SPEC.replace("0..2", "0..4"))
    _, counter = finished(spec, tmp_path / "store")
    assert counter.computed.count("train") == 2 * 2 * 2


def test_formatting_names_and_captions_are_not_part_of_a_result(spec: Path, tmp_path: Path) -> None:
    finished(spec, tmp_path / "store")
    spec.write_text(
        '"""A caption."""\n'.join(SPEC.replace(" moons", " crescents").split("\n\n", 1)) + "# the end\n"
    )
    _, counter = finished(spec, tmp_path / "store")
    assert counter.computed == []


def test_workers_give_the_same_bytes(spec: Path, tmp_path: Path) -> None:
    alone, _ = finished(spec, tmp_path / "one")
    shared, counter = finished(spec, tmp_path / "two", workers=2)
    assert len(counter.computed) == 27
    assert digests(alone) == digests(shared)


@pytest.mark.parametrize(("kind", "workers"), [("analysis", 1), ("dataset", 1), ("dataset", 2), ("train", 2)])
def test_damaged_results_are_noticed_and_computed_again(
    kind: str, workers: int, spec: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    import sqlite3

    store = tmp_path / "store"
    first, _ = finished(spec, store)
    with sqlite3.connect(store / "index.sqlite") as index:
        # Every result of the kind; where it is not the last one, also the analyses, so that it is needed.
        damaged = index.execute(
            "UPDATE blobs SET data = zeroblob(length(data)) WHERE digest IN "
            "(SELECT digest FROM results WHERE kind = ?)",
            (kind,),
        ).rowcount
        assert damaged >= 3
        if kind != "analysis":
            index.execute(
                "DELETE FROM keys WHERE digest IN (SELECT digest FROM results WHERE kind = 'analysis')"
            )
    spec.write_text(SPEC.replace("> 0 at", "> 0.01 at"))
    second, counter = finished(spec, store, workers=workers)
    assert counter.computed.count(kind) == damaged
    assert second.results["gap"].identical(first.results["gap"])
    assert capfd.readouterr().err.count("damaged") == damaged


def test_folders_beside_the_runs_take_no_number(spec: Path, tmp_path: Path) -> None:
    for name in ("tiny-002", "tiny-7.old", "untiny-040", "notes"):
        (tmp_path / "store" / "runs" / name).mkdir(parents=True)
    assert finished(spec, tmp_path / "store")[0].folder.name == "tiny-003"


def test_a_diverged_member_leaves_the_others_alone(spec: Path, tmp_path: Path) -> None:
    calm, _ = finished(spec, tmp_path / "calm")
    spec.write_text(SPEC.replace("[0.01, 0.1]", "[0.01, 1e30]").replace("lr == 0.1", "lr == 0.01"))
    wild, _ = finished(spec, tmp_path / "wild")
    reasons = {failure.reason.split(" at")[0] for failure in wild.results.failures}
    assert reasons == {"diverged"}
    assert {failure.coordinate["lr"] for failure in wild.results.failures} == {1e30}
    kept = wild.results["gap"].sel(lr=0.01)
    assert kept.drop_vars("lr").identical(calm.results["gap"].sel(lr=0.01).drop_vars("lr"))
    assert np.isnan(wild.results["gap"]["error"].sel(lr=1e30)).all()


def test_a_model_that_cannot_be_made_leaves_the_others_alone(tmp_path: Path) -> None:
    """What a training costs is tried before all of them: what fails there is one failure, with its reason."""
    path = tmp_path / "mixed.gen"
    path.write_text(
        SPEC.replace("model net = mlp(hidden=[4])", "model net = subspace(inner, dimension=3)\nLINES")
        .replace("model = mlp(hidden=[8])", "model = mlp(hidden=[8])\n    batch = 20")
        .replace("LINES", "model inner = subspace(mlp(hidden=[4]), dimension=6)")
    )
    mixed, _ = finished(path, tmp_path / "store")
    assert {failure.code for failure in mixed.results.failures} == {"wrong-kind"}
    assert {failure.step for failure in mixed.results.failures} == {"fit", "gap"}
    errors = mixed.results["gap"]["error"]
    assert errors.sel(run="fit").isnull().all() and errors.sel(run="wide").notnull().all()


def test_exit_codes(spec: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = ["--store", str(tmp_path / "store")]
    assert main(["run", str(spec), *store]) == 0
    spec.write_text(SPEC.replace("> 0 at", "< 1% at"))
    assert main(["run", str(spec), *store]) == 0
    assert main(["run", str(spec), *store, "--require-claims"]) == 4
    spec.write_text(SPEC.replace("[0.01, 0.1]", "[0.01, 1e30]").replace("lr == 0.1", "lr == 0.01"))
    assert main(["run", str(spec), *store]) == 3
    spec.write_text(SPEC.replace("sgd", "sgdd"))
    assert main(["run", str(spec), *store]) == 1
    assert main(["run", str(tmp_path / "absent.gen"), *store]) == 1
    assert main(["run", str(spec), *store, "--set", "width"]) == 2
    assert "Traceback" not in capsys.readouterr().err
