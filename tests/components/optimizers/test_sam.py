"""SAM: where its gradient is taken in closed form, and whole trainings against the loop one would write."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from gendsl_runtime.length import Length
from gendsl_runtime.optimizers.sam import sam
from gendsl_runtime.optimizers.sgd import sgd
from gendsl_runtime.train import build
from gendsl_runtime.train.fuse import groups
from gendsl_runtime.train.loop import fit
from gendsl_runtime.train.order import order
from tests.runtime.members import blobs, component, member, same

DATA = blobs(shape=(5,), examples=24)


def ahead(parameters: torch.Tensor, gradients: torch.Tensor, **given) -> torch.Tensor:
    """Where a stack of two looks, with radii 0.5 and 2."""
    zero, one = torch.zeros(2), torch.ones(2)
    base = sgd(lr=one, momentum=zero, weight_decay=zero, schedule=one[:, None])
    found = sam(base=base, rho=torch.tensor([0.5, 2.0], dtype=torch.float64), **given).correction
    return found(parameters, gradients, lambda moved: moved, one[:, None])


def test_it_looks_uphill_by_the_radius() -> None:
    gradients = torch.tensor([[3.0, 4.0], [0.0, -5.0]], dtype=torch.float64)
    moved = ahead(torch.zeros(2, 2, dtype=torch.float64), gradients)
    torch.testing.assert_close(moved, torch.tensor([[0.3, 0.4], [0.0, -2.0]]).double())


def test_a_gradient_of_zero_goes_nowhere() -> None:
    zero = torch.zeros(2, 3, dtype=torch.float64)
    assert torch.equal(ahead(zero, zero.clone()), zero)


def test_the_adaptive_form_does_not_see_the_scale_of_weights() -> None:
    """With w = s u a gradient by w is that by u over s; the move of w must be s times the move of u."""
    weights = torch.rand(2, 4, dtype=torch.float64) + 0.5
    gradients = torch.randn(2, 4, dtype=torch.float64)
    scales = torch.tensor([[2.0, 0.25, 8.0, 1.0]], dtype=torch.float64)
    moved = ahead(weights, gradients.clone(), adaptive=True, eta=0.0)
    again = ahead(weights * scales, gradients / scales, adaptive=True, eta=0.0)
    torch.testing.assert_close(again, moved * scales)
    size = moved / weights
    torch.testing.assert_close(size.norm(dim=1), torch.tensor([0.5, 2.0], dtype=torch.float64))


def plain_loop(one, module: nn.Module, rho: float, *, adaptive: bool, clip: float) -> None:
    """Foret et al.'s algorithm 1 with torch's own parts."""
    split = one.data.split("fit")
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-3)
    values = list(module.parameters())

    def gradients(rows) -> list[torch.Tensor]:
        loss = cross_entropy(module(split.inputs.double()[rows]), split.targets[rows])
        return list(torch.autograd.grad(loss, values))

    for step in range(one.steps):
        epoch, place = divmod(step, one.steps_per_epoch)
        index = torch.from_numpy(order(one.seed, epoch, one.examples))
        rows = index[place * one.batch_size : (place + 1) * one.batch_size]
        sizes = [v.detach().abs() + 0.01 if adaptive else torch.ones_like(v) for v in values]
        uphill = gradients(rows)
        norm = torch.sqrt(sum((size * g).square().sum() for size, g in zip(sizes, uphill, strict=True)))
        kept = [value.detach().clone() for value in values]
        with torch.no_grad():
            for value, size, g in zip(values, sizes, uphill, strict=True):
                value.add_(size**2 * g * rho / norm)
        for value, g in zip(values, gradients(rows), strict=True):
            value.grad = g
        with torch.no_grad():
            for value, before in zip(values, kept, strict=True):
                value.copy_(before)
        nn.utils.clip_grad_norm_(values, clip)
        optimizer.param_groups[0]["lr"] = 0.1 * build.factors(one)[step]
        optimizer.step()


@pytest.mark.parametrize("adaptive", [False, True])
@pytest.mark.parametrize("steps", [1, 10, 100])
def test_trainings_agree_with_a_plain_loop(adaptive, steps) -> None:
    cosine = component("schedule", "cosine")
    base = component("optimizer", "sgd", lr=0.1, momentum=0.9, weight_decay=1e-3, clip=0.4, schedule=cosine)
    members = [
        member(
            DATA,
            seed=seed,
            model=component("model", "mlp", hidden=[7], activation="tanh"),
            optimizer=component("optimizer", "sam", base=base, rho=rho, adaptive=adaptive),
            budget=Length(steps, "steps"),
            batch=10,
        )
        for seed, rho in ((1, 0.02), (2, 0.1))
    ]
    one = members[1]
    module = nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 3)).double()
    with torch.no_grad():
        fresh = build.network(one).init([one.seed]).parameters
        for value, given in zip(module.parameters(), fresh.values(), strict=True):
            value.copy_(given[0])
    plain_loop(one, module, 0.1, adaptive=adaptive, clip=0.4)
    mine = fit(members, dtype=torch.float64)[1].state.parameters.values()
    for theirs, own in zip(module.parameters(), mine, strict=True):
        assert float((theirs - own[0]).abs().max().detach()) < 1e-10


def test_values_of_the_inner_optimizer_and_schedule_are_the_members_own() -> None:
    def one(place: int):
        schedule = component("schedule", "cosine", floor=place / 10)
        base = component("optimizer", "sgd", lr=0.1 + place / 10, momentum=0.5, schedule=schedule)
        optimizer = component("optimizer", "sam", base=base, rho=0.1 + place / 50)
        return member(DATA, seed=3, optimizer=optimizer, budget=Length(2 + place, "epochs"))

    members = [one(place) for place in range(4)]
    assert groups(members) == [[0, 1, 2, 3]]
    for together, alone in zip(fit(members), fit(members, fuse=False), strict=True):
        assert same(together, alone)


def test_inner_optimizers_of_another_kind_or_form_train_apart() -> None:
    bases = [
        component("optimizer", "sgd"),
        component("optimizer", "adam"),
        component("optimizer", "sgd", clip=1.0),
    ]
    members = [member(DATA, optimizer=component("optimizer", "sam", base=base)) for base in bases]
    assert groups(members) == [[0], [1], [2]]


@pytest.mark.parametrize("model", ["batch", "dropout"])
def test_running_statistics_and_noise_are_those_of_the_first_pass(model) -> None:
    """With a radius of almost nothing SAM is its base optimizer, and its buffers are moved once a step."""
    images = blobs(shape=(1, 6, 6), examples=20)
    made = (
        component("model", "resnet", width=4, stages=1, norm="batch")
        if model == "batch"
        else component("model", "mlp", hidden=[9], dropout=0.5)
    )
    base = component("optimizer", "sgd", lr=0.05, momentum=0.5)
    both = [
        fit(
            [member(images, model=made, optimizer=optimizer, budget=Length(4, "steps"), batch=10)],
            dtype=torch.float64,
        )[0].state
        for optimizer in (base, component("optimizer", "sam", base=base, rho=1e-13))
    ]
    for part in ("parameters", "buffers"):
        left, right = (getattr(state, part) for state in both)
        for name in left:
            torch.testing.assert_close(left[name], right[name], rtol=1e-9, atol=1e-10)
