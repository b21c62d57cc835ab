"""Trainings that are killed and gone on with from their checkpoint end with the bits of undisturbed ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from gendsl.spec import Component
from gendsl_runtime.components import catalogue
from gendsl_runtime.length import Length
from gendsl_runtime.store import Store
from gendsl_runtime.store.checkpoints import Checkpoints
from gendsl_runtime.store.inventory import remove, stray_checkpoints
from gendsl_runtime.train import checkpoint
from gendsl_runtime.train.checkpoint import Keeper
from gendsl_runtime.train.fitted import Diverged, Fitted
from gendsl_runtime.train.loop import Course, train
from gendsl_runtime.train.member import Member
from gendsl_runtime.train.stack import Stack, start
from tests.runtime.members import blobs, component, member, same


class KilledError(Exception):
    """Stands for a `kill -9` just after a checkpoint was written."""


class Killing(Keeper):
    """Writes a checkpoint after every step, and dies after some of them."""

    def __init__(self, store: Path, keys: Sequence[str], deaths: set[int]) -> None:
        super().__init__(Checkpoints(store), keys, device="cpu")
        self.deaths = deaths

    def begin(self, stack: Stack) -> None:
        self.due = 0.0

    def keep(self, course: Course) -> None:
        super().keep(course)
        self.due = 0.0
        if course.stack.steps in self.deaths:
            self.deaths.remove(course.stack.steps)
            raise KilledError


def keys(members: Sequence[Member]) -> list[str]:
    return [f"{place:064x}" for place in range(len(members))]


def once(members: Sequence[Member], keeper: Keeper | None = None) -> list[Fitted | Diverged]:
    return train(members, device="cpu", dtype=torch.float32, tell=lambda steps: None, keeper=keeper)


def killed(store: Path, members: Sequence[Member], *steps: int) -> list[Fitted | Diverged]:
    """The members, trained by processes that die after these steps."""
    deaths = set(steps)
    while True:
        try:
            found = once(members, Killing(store, keys(members), deaths))
        except KilledError:
            continue
        assert not deaths, "it was over before it could be killed"
        return found


def alike(left: Fitted | Diverged, right: Fitted | Diverged) -> bool:
    if isinstance(left, Diverged) or isinstance(right, Diverged):
        return left == right
    kept = [
        (left.checkpoints[epoch], right.checkpoints[epoch])
        for epoch in {**left.checkpoints, **right.checkpoints}
    ]
    return same(left, right) and all(
        torch.equal(value, getattr(b, part)[name])
        for a, b in kept
        for part in ("parameters", "buffers")
        for name, value in getattr(a, part).items()
    )


def assert_same(members: Sequence[Member], found: Sequence[Fitted | Diverged]) -> None:
    for one, other in zip(once(members), found, strict=True):
        assert alike(one, other)


def optimizers() -> list[Component]:
    """Every optimizer there is that takes steps, with a schedule, and those around another."""
    around = ("gradient_penalty", "sam")
    names = [name for name in catalogue().names("optimizer") if name not in (*around, "guess")]
    schedule = component("schedule", "cosine")
    found = [component("optimizer", name, schedule=schedule) for name in names]
    base = component("optimizer", "sgd", lr=0.1, momentum=0.9)
    return [*found, *(component("optimizer", name, base=base) for name in around)]


@pytest.mark.parametrize("optimizer", optimizers(), ids=lambda one: one.name)
def test_every_optimizer(optimizer: Component, tmp_path: Path) -> None:
    """Four steps an epoch: killed in the middle of one, at the end of one, and just before the last step."""
    members = [member(optimizer=optimizer, seed=seed) for seed in range(3)]
    assert_same(members, killed(tmp_path, members, 2, 4, 11))


MODELS = {
    "batch norm": component("model", "mlp", hidden=[8], norm="batch"),
    "dropout": component("model", "mlp", hidden=[8], dropout=0.3),
    "convolutions": component("model", "cnn", channels=[4], norm="batch"),
}


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS.keys())
def test_every_state_of_a_network(model: Component, tmp_path: Path) -> None:
    shape = (1, 6, 6) if model.name == "cnn" else (6,)
    members = [member(blobs(shape=shape), model=model, seed=seed) for seed in range(3)]
    assert_same(members, killed(tmp_path, members, 1, 6, 8))


def company() -> list[Member]:
    """Members that leave their stack in every way and at every time, with states kept on the way."""
    calm = member(budget=Length(4, "epochs"), model=component("model", "mlp", hidden=[8], norm="batch"))
    wild = component("optimizer", "sgd", lr=float("1e38"), momentum=0.9)
    other = blobs(seed=1)
    return [
        replace(calm, seed=0, checkpoints=(0, 1, 3)),
        replace(calm, seed=1, optimizer=wild),
        replace(calm, seed=2, budget=Length(6, "steps"), checkpoints=(0, 2)),
        replace(calm, seed=3, stop=("train_loss", "<", 100.0), checkpoints=(1,)),
        replace(calm, seed=4, stop=("train_error", "<=", 0.6)),
        replace(calm, seed=5, budget=Length(0, "steps"), checkpoints=(0,)),
        replace(calm, seed=6, data=other, data_digest=b"other", budget=Length(15, "steps")),
    ]


@pytest.mark.parametrize("steps", [(1,), (4,), (5,), (6,), (7, 8, 9), (13,), (3, 14, 15)])
def test_members_that_have_left(steps: tuple[int, ...], tmp_path: Path) -> None:
    members = company()
    found = killed(tmp_path, members, *steps)
    assert_same(members, found)
    assert isinstance(found[1], Diverged)
    ends = {one.status for one in found if isinstance(one, Fitted)}
    assert ends == {"budget", "stopped"}


def test_a_start_from_another_training(tmp_path: Path) -> None:
    (first,) = once([member()])
    assert isinstance(first, Fitted)
    members = [member(seed=5, init=first.state), member(seed=6)]
    assert_same(members, killed(tmp_path, members, 3, 5))


def test_a_regression_in_double_precision(tmp_path: Path) -> None:
    data = blobs(task="regression", classes=2)
    members = [member(data, seed=seed) for seed in range(2)]

    def fitted(keeper: Keeper | None) -> list[Fitted | Diverged]:
        return train(members, device="cpu", dtype=torch.float64, tell=lambda steps: None, keeper=keeper)

    with pytest.raises(KilledError):
        fitted(Killing(tmp_path, keys(members), {3}))
    for one, other in zip(fitted(None), fitted(Killing(tmp_path, keys(members), set())), strict=True):
        assert alike(one, other)


def steps_taken(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Members and steps of every stretch that is trained from here on."""
    taken: list[tuple[int, int]] = []
    run = Stack.run

    def counted(stack: Stack, *args, **kwargs) -> None:
        before = stack.steps
        run(stack, *args, **kwargs)
        taken.append((len(stack.members), stack.steps - before))

    monkeypatch.setattr(Stack, "run", counted)
    return taken


def test_what_is_behind_is_not_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    members = [member(seed=seed) for seed in range(3)]
    taken = steps_taken(monkeypatch)
    assert killed(tmp_path, members, 2, 7, 11)
    assert sum(steps for _, steps in taken) == 12


def test_other_stacks_take_over_what_they_can(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut otherwise, with seeds added and after another death: each member goes on from where it was."""
    members = [member(seed=seed) for seed in range(6)]
    named = dict(zip(range(6), keys(members), strict=True))

    def trained(places: Sequence[int], deaths: set[int]) -> list[Fitted | Diverged]:
        chosen = [named[place] for place in places]
        return once([members[place] for place in places], Killing(tmp_path, chosen, deaths))

    for places, step in (((0, 1, 2), 5), ((3, 4), 9)):
        with pytest.raises(KilledError):
            trained(places, {step})
    taken = steps_taken(monkeypatch)
    with pytest.raises(KilledError):
        trained((1, 2, 3, 4, 5), {8})  # 3 and 4 come to their end, 1 and 2 to step 8, and 5 is as it was
    assert [sum(steps for size, steps in taken if size == members) for members in (2, 1)] == [3 + 3, 0]
    taken.clear()
    assert_same(members, trained(range(6), set()))
    work = sum(size * steps for size, steps in taken)
    undisturbed = 12 * 6
    assert work - undisturbed == 2 * 4 + 12 + 7
    # 1 and 2 from 8, 3 and 4 from the results in the checkpoint, 0 from 5, 5 from the start.


def ranked(store: Path) -> list[Path]:
    """The slots, the furthest first."""
    return [slot.path for slot in sorted(Checkpoints(store).slots(), key=lambda slot: -slot.steps)]


def test_a_damaged_slot_gives_way_to_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    members = [member(seed=seed) for seed in range(2)]

    def damage(*places: int) -> None:
        newest = ranked(tmp_path)
        assert len(newest) == 2
        for place in places:
            content = bytearray(newest[place].read_bytes())
            content[-5] ^= 1
            newest[place].write_bytes(content)

    def cut_short() -> None:
        newest = ranked(tmp_path)[0]
        newest.write_bytes(newest.read_bytes()[:-100])

    reference = once(members)
    for harm, expected in (
        (lambda: None, 5),
        (lambda: damage(0), 6),
        (cut_short, 6),
        (lambda: damage(0, 1), 12),
        (lambda: ranked(tmp_path)[0].unlink(), 6),
        (lambda: ranked(tmp_path)[0].write_bytes(b""), 6),
        (lambda: ranked(tmp_path)[0].write_bytes(bytes(100)), 6),
    ):
        with pytest.raises(KilledError):
            once(members, Killing(tmp_path, keys(members), {7}))
        harm()
        with monkeypatch.context() as patch:
            taken = steps_taken(patch)
            found = once(members, Killing(tmp_path, keys(members), set()))
        assert sum(steps for _, steps in taken) == expected
        assert all(alike(one, other) for one, other in zip(reference, found, strict=True))
        Checkpoints(tmp_path).forget(lambda keys: True)
        assert Checkpoints(tmp_path).slots() == [] and not list((tmp_path / "checkpoints").iterdir())


def test_short_trainings_have_none(tmp_path: Path) -> None:
    members = [member(seed=seed) for seed in range(2)]
    once(members, Keeper(Checkpoints(tmp_path), keys(members), device="cpu"))
    assert not (tmp_path / "checkpoints").exists()


def test_writing_takes_its_share_of_the_time_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clock that stands still but for writing, which takes 3 s: 2 % of the time is one in 150 s."""
    now = 100.0
    monkeypatch.setattr(checkpoint, "monotonic", lambda: now)
    members = [member()]
    keeper = Keeper(Checkpoints(tmp_path), keys(members), device="cpu")
    course = Course(members, start(members, device="cpu", dtype=torch.float32))
    keeper.begin(course.stack)
    assert keeper.due == now + checkpoint.INTERVAL

    def slow(course: Course, keys: Sequence[str]) -> tuple[dict, dict]:
        nonlocal now
        now += 3.0
        raise MemoryError

    monkeypatch.setattr(checkpoint, "pack", slow)
    keeper.keep(course)  # no room for it: the training goes on
    assert keeper.due == pytest.approx(now + 150)


def test_what_is_cleaned_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Checkpoints of stored results, of another version, damaged ones and old ones; and no other."""
    members = [member(seed=seed) for seed in range(2)]

    def left(step: int) -> None:
        with pytest.raises(KilledError):
            once(members, Killing(tmp_path, keys(members), {step}))

    left(7)
    checkpoints = Checkpoints(tmp_path)
    assert checkpoints.useless(lambda keys: False, before=0.0) == []
    assert len(checkpoints.useless(lambda keys: True, before=0.0)) == 2
    assert len(checkpoints.useless(lambda keys: False, before=1e12)) == 2
    with monkeypatch.context() as patch:
        patch.setattr("gendsl_runtime.store.checkpoints.numerics", lambda device: "another")
        assert len(checkpoints.useless(lambda keys: False, before=0.0)) == 2
    (first, _) = ranked(tmp_path)
    first.write_bytes(first.read_bytes()[:50])
    assert checkpoints.useless(lambda keys: False, before=0.0) == [first]
    with Store.open(tmp_path) as store:
        assert stray_checkpoints(store, before=0.0) == [first]
        remove(store, [], stray=stray_checkpoints(store, before=1e12))
    assert not list((tmp_path / "checkpoints").iterdir())
