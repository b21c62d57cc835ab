"""What a plan foretells: stacks, seconds, and how work is shared out among workers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gendsl.plan import plan
from gendsl_runtime.data.phantom import held, outline, phantom
from gendsl_runtime.execute.balance import Group, balanced, makespan
from gendsl_runtime.execute.forecast import Forecast, Stacks
from gendsl_runtime.length import Length
from gendsl_runtime.numerics import numerics
from gendsl_runtime.reading import file_digest, read_checked
from gendsl_runtime.run import RunOptions, run
from gendsl_runtime.states import states
from gendsl_runtime.store import Store
from gendsl_runtime.train import speed as speeds
from gendsl_runtime.train.fuse import Cost, cost, static_key
from gendsl_runtime.train.speed import Speed, Trial, speed, stand_ins
from tests.runtime.members import blobs, component, member

SPEC = """
seeds 0..3
dataset digits = sklearn_digits(train=200, test=100, seed=seed)
dataset moons = two_moons(train=40, held_back=10, test=20, seed=seed)
train near {
    model = mlp(hidden=[8])
    dataset = digits
    optimizer = sgd(lr=0.1)
    batch = 20
    budget = 2 epochs
}
train far extends near { dataset = with_label_noise(digits, share=20%, seed=seed) }
train wide extends near { model = mlp(hidden=[16]) stop = train_error == 0 }
train poisoned extends near { dataset = with_wrong_labels(moons, from=held_back) }
"""


def foretold(folder: Path, text: str = SPEC) -> list[Stacks]:
    file = folder / "t.gen"
    file.write_text(text)
    checked = read_checked(str(file))
    assert checked.spec is not None
    made = plan(checked.spec, numerics=numerics(), file_digest=file_digest)
    with Store.open(folder / "store", create=False) as store:
        return Forecast(made, states(made, store), store, Speed()).stacks()


def test_stacks_are_known_before_the_data_are(tmp_path: Path) -> None:
    near, wide, poisoned = foretold(tmp_path)
    assert (near.names, near.members, near.count, near.is_most) == (("near", "far"), 8, 1, False)
    assert (wide.names, wide.members, wide.count, wide.is_most) == (("wide",), 4, 1, True)
    # How many points are poisoned is only known once they are.
    assert (poisoned.names, poisoned.count, poisoned.seconds) == (("poisoned",), 4, None)


def test_foretold_stacks_are_those_of_the_run(tmp_path: Path) -> None:
    from gendsl_runtime.execute.watch import Watch

    tasks: list[int] = []

    class Counter(Watch):
        def done(self, task, outcomes) -> None:
            tasks.extend([len(task.nodes)] if task.kind == "train" else [])

    said = foretold(tmp_path)
    run(tmp_path / "t.gen", RunOptions(store=tmp_path / "other"), Counter())
    assert sorted(tasks) == sorted([one.members for one in said if one.seconds is not None] + [4])


def test_data_that_are_there_are_looked_at(tmp_path: Path) -> None:
    file = tmp_path / "t.gen"
    file.write_text(SPEC)
    run(file, RunOptions(store=tmp_path / "store"))
    (changed,) = foretold(tmp_path, SPEC.replace("mlp(hidden=[8])", "mlp(hidden=[9])").split("train far")[0])
    assert (changed.members, changed.count) == (4, 1) and changed.seconds is not None
    with Store.open(tmp_path / "store", create=False):
        more = foretold(
            tmp_path,
            SPEC.replace("held_back)\n}", "held_back) batch = 10 }").replace("batch = 20", "batch = 10"),
        )
    assert all(one.seconds is not None for one in more)


def test_a_phantom_has_the_static_key_of_what_it_stands_for() -> None:
    for data in (blobs(), blobs(task="regression"), blobs(shape=(1, 4, 4))):
        empty = outline(data)
        assert static_key(member(data)) == static_key(member(empty))
        assert cost(member(data)) == cost(member(empty))
        assert held(empty) == held(data)
        split = empty.splits["train"]
        assert split.inputs.untyped_storage().nbytes() <= 8 and split.targets.untyped_storage().nbytes() <= 8
    wide = phantom({"train": 10**9}, task="classification", shape=(1000,), outputs=2)
    assert len(wide.splits["train"]) == 10**9


def test_a_trial_tells_the_seconds_of_a_step() -> None:
    """Against real training within a factor of 3: other work on the machine is part of both figures."""
    from time import process_time

    from gendsl_runtime.train.loop import fit

    one = member(
        blobs(shape=(64,), examples=500),
        model=component("model", "mlp", hidden=[64]),
        batch=50,
        budget=Length(40, "epochs"),
    )
    known = Speed(budget=1.0)
    said = known.training(one, cost(one), [one.steps] * 6, widest=6)
    assert len(known.trials) == 1 and known.budget < 1.0
    begun = process_time()
    fit(stand_ins(one, 6)[:1])  # warm
    begun = process_time()
    from dataclasses import replace

    fit([replace(one, seed=seed) for seed in range(6)])
    assert 1 / 3 < said / (process_time() - begun) < 3


def test_members_that_are_done_cost_nothing_more() -> None:
    one, what = member(), Cost(operations=1e6, bytes=1e4)
    known = Speed()
    whole = known.training(one, what, [100, 100], widest=2)
    half = known.training(one, what, [100, 0], widest=2)
    assert half == pytest.approx(known.training(one, what, [100], widest=2))
    assert half < whole < 2 * half
    assert known.training(one, what, [0, 0], widest=2) == 0.0


def test_coefficients_are_fitted_to_trials() -> None:
    def true(members: int, operations: float, bytes_: float) -> float:
        return 3e-4 + members * (2e-11 * operations + 8e-11 * bytes_)

    trials = {
        f"{members} {operations} {bytes_}": Trial(
            members, operations, bytes_, true(members, operations, bytes_)
        )
        for members in (1, 4, 16)
        for operations in (1e5, 1e7, 1e8)
        for bytes_ in (1e4, 1e6)
    }
    known = Speed(trials)
    assert known.estimate(Cost(3e7, 2e5), 8) == pytest.approx(true(8, 3e7, 2e5), rel=0.15)


def test_trials_are_remembered_for_this_machine_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    one = member()
    first = speed(budget=1.0)
    first.step(one, cost(one), 2)
    first.save()
    (file,) = (tmp_path / "gendsl").glob("speed-*.json")
    assert json.loads(file.read_text())["machine"]["torch"]
    assert speed().trials == first.trials
    assert speed(budget=0.0).step(one, cost(one), 2) == first.trials[next(iter(first.trials))].seconds
    monkeypatch.setattr(speeds, "machine", lambda: {"processor": "another"})
    assert speed().trials == {}
    monkeypatch.undo()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for damage in ("", "{", "[]", '{"trials": {"a": 1}}', '{"trials": {"a": [1, 2, 3, "x"]}}'):
        file.write_text(damage)
        assert speed().trials == {}


def groups(*members: int, fixed: float, each: float) -> list[Group]:
    return [Group(range(count), 1, lambda rows: fixed + each * len(rows)) for count in members]


def test_a_stack_is_cut_where_everything_ends_sooner() -> None:
    (alone,) = balanced(groups(20, fixed=1, each=1), workers=2)
    assert alone.count == 2 and makespan([alone], workers=2) == 11
    # As long as the pieces are the same work anyway, the fixed part is not paid twice.
    assert [group.count for group in balanced(groups(20, 20, fixed=1, each=1), workers=2)] == [1, 1]
    # What is nearly all fixed is not worth a cut.
    assert [group.count for group in balanced(groups(2, fixed=100, each=1), workers=2)] == [1]
    four = balanced(groups(40, 3, 3, fixed=1, each=1), workers=4)
    assert makespan(four, workers=4) <= 1.2 * (46 + 6) / 4
    rows = [row for piece, _ in four[0].pieces() for row in piece]
    assert rows == list(range(40))


def test_the_time_that_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two tasks of 10 and 30 expected seconds on a machine that is half as fast."""
    from gendsl_runtime.progress import estimate

    now = [100.0]
    monkeypatch.setattr(estimate, "monotonic", lambda: now[0])
    told = estimate.Estimate()
    assert told.seconds() is None
    told.queued(1, 10.0)
    told.queued(2, 30.0)
    told.queued(3, 0.0)
    told.part(1, 0.0)
    assert told.seconds() is None
    now[0] = 110.0
    told.part(1, 0.5)
    assert told.seconds() == pytest.approx(70.0)
    now[0] = 120.0
    told.done(1)
    told.done(3)
    assert told.seconds() == pytest.approx(60.0)
    told.part(2, 1.0)
    told.done(2)
    assert told.seconds() == 0.0


def test_stacks_as_people_see_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from gendsl_runtime.cli import main

    file = tmp_path / "t.gen"
    file.write_text(SPEC)
    assert main(["plan", str(file), "--store", str(tmp_path / "store")]) == 2
    said = capsys.readouterr().out
    for line in (
        "1 stack of 8  near, far  about",
        "1 stack of 4  wide       at most",
        "4 alone       poisoned   unknown",
    ):
        assert line in said
    assert "expected: training takes at most" in said and "and what is unknown; stacks of up to" in said
    assert main(["plan", str(file), "--store", str(tmp_path / "store"), "--json"]) == 2
    stacks = json.loads(capsys.readouterr().out)["stacks"]
    assert [(one["steps"], one["stacks"], one["members"]) for one in stacks] == [
        (["near", "far"], 1, 8),
        (["wide"], 1, 4),
        (["poisoned"], 4, 1),
    ]
    assert stacks[0]["seconds"] > 0 and stacks[0]["bytes"] > 0 and stacks[2]["seconds"] is None
    assert main(["run", str(file), "--store", str(tmp_path / "store"), "--no-fuse"]) == 0
    capsys.readouterr()
    assert main(["plan", str(file), "--store", str(tmp_path / "store"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["stacks"] == []


def test_many_stacks_fit_a_screen() -> None:
    from gendsl_runtime.cli.plan import SHOWN, stack_lines

    many = [Stacks((f"t{place}",), 2, 1, float(place), 1e6, is_most=False) for place in range(20)]
    lines = stack_lines(many)
    assert len(lines) == SHOWN + 5 and "t19" in lines[1]
    assert any("and 12 more" in line for line in lines)
