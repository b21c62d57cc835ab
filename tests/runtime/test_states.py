"""What a plan would do with a store: every state, and how `gen plan` words it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from gendsl.plan import Plan, plan
from gendsl.spec import Axis, Component, Coordinate, Number, Spec, Step, Use
from gendsl_runtime.changes import changes
from gendsl_runtime.cli.plan import data, lines, summary
from gendsl_runtime.saved import last_spec
from gendsl_runtime.states import StepState, states
from gendsl_runtime.store import Entry, Failed, Store


def experiment(*, lr: float = 0.1, seeds: int = 2, data: int = 1, widths: tuple[int, ...] = (4, 8)) -> Spec:
    axes = [
        Axis(name="width", kind="sweep", values=tuple(Number(value=w) for w in widths), labels=widths),
        Axis(
            name="seed",
            kind="seeds",
            values=tuple(Number(value=s) for s in range(seeds)),
            labels=tuple(range(seeds)),
        ),
    ]
    sgd = Component(kind="optimizer", name="sgd", version=1, arguments={"lr": Number(value=lr)})
    net = Component(kind="model", name="mlp", version=1, arguments={"width": Coordinate(axis="width")})
    both = ("width", "seed")
    fit = {"model": net, "dataset": Use(step="digits"), "optimizer": sgd, "seed": Coordinate(axis="seed")}
    steps = [
        Step(name="digits", kind="dataset", component="digits", version=data, arguments={}),
        Step(name="fit", kind="train", component="train", version=1, arguments=fit, axes=both),
        Step(
            name="gap",
            kind="analysis",
            component="gap",
            version=1,
            arguments={"run": Use(step="fit")},
            axes=both,
        ),
    ]
    return Spec(
        name="x",
        title="An example",
        path="x.gen",
        text="",
        axes={axis.name: axis for axis in axes},
        steps={step.name: step for step in steps},
    )


def planned(spec: Spec) -> Plan:
    return plan(spec, numerics="cpu", file_digest=lambda path: b"")


def payload(plan_: Plan, name: str, index: int) -> bytes:
    return f"{name} {plan_[name].labels(index)}".encode()


def run(plan_: Plan, store: Store, *, but: tuple[str, ...] = ()) -> None:
    """Pretends to compute everything but some steps."""
    for step in plan_:
        if step.name in but:
            continue

        def digest(name: str, index: int) -> bytes:
            return sha256(payload(plan_, name, index)).digest()

        store.commit(
            [
                Entry(
                    step.recipe_key(i),
                    step.action_key(i, digest),
                    payload(plan_, step.name, i),
                    step.step.kind,
                    step.step.component,
                    1.0,
                )
                for i in range(step.count)
            ]
        )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "store") as opened:
        yield opened


def marks(told: dict[str, StepState]) -> dict[str, str]:
    return {name: state.marks for name, state in told.items()}


def test_everything_is_new_and_then_stored(store: Store) -> None:
    made = planned(experiment())
    assert marks(states(made, store)) == {"digits": "+", "fit": "++++", "gap": "++++"}
    run(made, store)
    told = states(made, store, experiment())
    assert marks(told) == {"digits": "=", "fit": "====", "gap": "===="}
    assert told["gap"].digests[3] == sha256(payload(made, "gap", 3)).hexdigest()


def test_more_seeds_are_new_and_the_rest_is_stored(store: Store) -> None:
    run(planned(experiment()), store)
    told = states(planned(experiment(seeds=3)), store, experiment())
    assert marks(told) == {"digits": "=", "fit": "==+==+", "gap": "==+==+"}


def test_a_changed_argument_is_told_with_both_values(store: Store) -> None:
    run(planned(experiment()), store)
    told = states(planned(experiment(lr=0.2)), store, experiment())
    assert marks(told) == {"digits": "=", "fit": "~~~~", "gap": "????"}
    assert told["fit"].changes == (("optimizer.lr", "0.1", "0.2"),)
    assert told["gap"].changes == ()


def test_equal_contents_of_the_inputs_are_found_whatever_made_them(store: Store) -> None:
    """A new version of the dataset gives the same bytes: what comes after it is not computed again."""
    run(planned(experiment()), store)
    made = planned(experiment(data=2))
    assert marks(states(made, store, experiment())) == {"digits": "~", "fit": "????", "gap": "????"}
    run(made, store, but=("fit", "gap"))
    assert marks(states(made, store, experiment())) == {"digits": "=", "fit": "====", "gap": "===="}


def test_failures_are_told(store: Store) -> None:
    made = planned(experiment())
    run(made, store, but=("fit", "gap"))
    store.note_failures(
        [Failed(made["fit"].recipe_key(1), "train", "train", "diverged", "diverged at step 3")]
    )
    assert marks(states(made, store)) == {"digits": "=", "fit": "+x++", "gap": "++++"}


def test_lines_fold_the_axes(store: Store) -> None:
    run(planned(experiment()), store)
    made = planned(experiment(lr=0.2, seeds=3))
    told = states(made, store, experiment())
    assert "\n".join(lines(made, told)) == LINES


LINES = """\
An example

  = digits  digits          1
  ~ fit     train mlp, sgd  6  2 width x 3 seed  4 changed, 2 new
      optimizer.lr: 0.1 -> 0.2
  + gap     gap             6  2 width x 3 seed  2 new, 4 perhaps

  = stored  + new  ~ changed  ? if its inputs differ  ! damaged  x failed before
6 trainings: to compute; 1 dataset: stored; 6 analyses: to compute"""


def test_a_thousand_runs_fit_on_a_screen(store: Store) -> None:
    made = planned(experiment(seeds=100, widths=tuple(range(1, 11))))
    text = lines(made, states(made, store))
    assert made.trainings == 1000
    assert len(text) <= 24 and max(map(len, text)) <= 80


def test_the_last_line_counts_what_is_computed_once(store: Store) -> None:
    spec = experiment()
    twin = spec.steps["fit"].model_copy(update={"name": "twin"})
    both = spec.model_copy(update={"steps": {**spec.steps, "twin": twin}})
    run(planned(spec), store, but=("gap",))
    assert summary(states(planned(both), store)) == (
        "4 trainings: all stored; 1 dataset: stored; 4 analyses: to compute"
    )


def test_json_has_the_same(store: Store) -> None:
    run(planned(experiment()), store)
    made = planned(experiment(lr=0.2, seeds=3))
    told = json.loads(json.dumps(data(made, states(made, store, experiment()), store.path)))
    assert told["to_compute"] == 12
    assert told["steps"][1]["states"] == {"changed": 4, "new": 2}
    assert told["steps"][1]["changes"] == [{"path": "optimizer.lr", "old": "0.1", "new": "0.2"}]
    assert told["steps"][2]["inputs"] == ["fit"]


def test_the_last_run_is_the_newest_readable_one(tmp_path: Path) -> None:
    assert last_spec("x", tmp_path) is None
    for number, lr in ((1, 0.1), (2, 0.2)):
        folder = tmp_path / "runs" / f"x-{number:03d}"
        folder.mkdir(parents=True)
        content = {"spec": experiment(lr=lr).model_dump(mode="json")}
        (folder / "results.json").write_text(json.dumps(content))
    found = last_spec("x", tmp_path)
    assert found == experiment(lr=0.2)
    assert changes(found.steps["fit"], experiment(lr=0.3).steps["fit"]) == (("optimizer.lr", "0.2", "0.3"),)
    (tmp_path / "runs" / "x-002" / "results.json").write_text('{"spec": {"na')
    assert last_spec("x", tmp_path) is None
