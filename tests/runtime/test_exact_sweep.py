"""A sweep trained as one stack gives the bits of its runs done singly, for every optimizer."""

from __future__ import annotations

import pytest
import torch

from gendsl.spec import Component
from gendsl_runtime import components
from gendsl_runtime.datasets.with_label_noise import with_label_noise
from gendsl_runtime.length import Length
from gendsl_runtime.train.fitted import Diverged
from gendsl_runtime.train.fuse import groups
from gendsl_runtime.train.loop import fit, train
from gendsl_runtime.train.member import Member
from gendsl_runtime.train.optimizer import norms
from tests.runtime.members import blobs, component, member, same

CLEAN = blobs(shape=(6,), examples=26)
NOISE = [with_label_noise(CLEAN, share=share, seed=1) for share in (0.0, 0.2, 0.5)]
"""Equal in size, different in their labels."""


def schedule(place: int) -> Component:
    """A schedule of the member's own, also in kind."""
    return (
        component("schedule", "cosine", floor=place % 5 / 10),
        component("schedule", "warmup", length=Length(2, "steps"), then=component("schedule", "linear")),
        component("schedule", "one_cycle"),
        component("schedule", "constant"),
    )[place % 4]


def optimizer(name: str, place: int) -> Component:
    """An optimizer whose every value that may differ in a stack does."""
    rate, small = 0.01 * (1 + place % 7), 0.001 * (1 + place % 3)
    shared = {"schedule": schedule(place), "clip": 0.2 + place % 6 / 4, "weight_decay": small, "lr": rate}
    inertia = {"momentum": 0.5 + place % 4 / 10}
    match name:
        case "sgd":
            return component("optimizer", name, **shared, **inertia, nesterov=True)
        case "gd":
            return component("optimizer", name, **shared, **inertia)
        case "rmsprop":
            return component("optimizer", name, **shared, **inertia, centered=True)
        case "sam":
            return component("optimizer", name, base=optimizer("adam", place), rho=0.02 * (1 + place % 5))
        case "asam":
            base = optimizer("sgd", place)
            return component("optimizer", "sam", base=base, rho=0.1 * (1 + place % 5), adaptive=True)
        case "gradient_penalty":
            base = optimizer("sgd", place)
            return component("optimizer", name, base=base, strength=0.2 * (1 + place % 5), blocks=3)
    return component("optimizer", name, **shared)


OPTIMIZERS = ["adam", "adamw", "asam", "gd", "gradient_penalty", "rmsprop", "sam", "sgd"]


def sweep(name: str, count: int) -> list[Member]:
    """Learning rate by noise by seed, with budgets that end at different steps, inside epochs and at their end."""
    return [
        member(
            NOISE[place % 3],
            seed=place // 3,
            model=component("model", "mlp", hidden=[7], activation="tanh"),
            optimizer=optimizer(name, place),
            loss=component("loss", "cross_entropy", label_smoothing=0.05 + place % 4 / 20),
            batch=None if name == "gd" else 8,
            budget=Length(5 + place % 4, "steps"),
        )
        for place in range(count)
    ]


def together(members: list[Member]) -> list:
    return train(members, device="cpu", dtype=torch.float32, tell=lambda steps: None)


def test_every_optimizer_is_here() -> None:
    """All that take steps; a search takes none."""
    known = {name for kind, name in components.catalogue().components if kind == "optimizer"}
    assert known - {"guess"} == set(OPTIMIZERS) - {"asam"}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_sweep_is_one_stack_and_gives_the_bits_of_single_runs(name) -> None:
    members = sweep(name, 32)
    assert groups(members) == [list(range(32))]
    singly = fit(members, fuse=False)
    assert not any(isinstance(one, Diverged) for one in singly)
    for count in (1, 2, 7, 32):
        for one, alone in zip(together(members[:count]), singly, strict=False):
            assert same(one, alone)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_order_does_not_matter(name) -> None:
    members = sweep(name, 7)
    order = [4, 0, 6, 2, 1, 5, 3]
    for place, one in zip(order, together([members[place] for place in order]), strict=True):
        assert same(one, fit([members[place]])[0])


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_members_that_leave_in_mid_run_leave_the_others_alone(name) -> None:
    """One ends at once, one stops: each is compacted away while the rest trains on."""
    long = [Length(9, "steps")] * 3
    rest = [
        member(one.data, **{**vars_of(one), "budget": budget})
        for one, budget in zip(sweep(name, 3), long, strict=True)
    ]
    short = member(CLEAN, **{**vars_of(rest[0]), "budget": Length(1, "steps")})
    early = member(CLEAN, **{**vars_of(rest[1]), "stop": ("train_loss", "<", 1e9)})
    mixed = together([rest[0], short, rest[1], early, rest[2]])
    assert mixed[1].steps == 1
    assert mixed[3].status == "stopped"
    for one, alone in zip((mixed[0], mixed[2], mixed[4]), fit(rest, fuse=False), strict=True):
        assert same(one, alone)


def vars_of(one: Member) -> dict:
    """What a test's member is made of, without its data."""
    names = ("seed", "model", "optimizer", "loss", "batch", "budget", "stop")
    return {name: getattr(one, name) for name in names}


@pytest.mark.parametrize("width", [1, 3, 8, 17, 129, 4097, 4810])
def test_norms_of_rows_are_those_of_each_row_alone(width) -> None:
    values = torch.randn(33, width)
    whole = norms(values)
    for rows in ([0], [32], [5, 9], list(range(32, -1, -1))):
        assert torch.equal(norms(values[rows]), whole[rows])
    # Summed by halves: a rounding for each of the 13 doublings up to the longest row.
    torch.testing.assert_close(whole.double(), values.double().norm(dim=1), rtol=13 * 2**-24, atol=0)
