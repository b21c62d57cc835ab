"""The engine against the loop one would write with nn.Module and torch.optim: same start, same order, same
result."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from gendsl_runtime.length import Length
from gendsl_runtime.train import build
from gendsl_runtime.train.loop import fit
from gendsl_runtime.train.order import order
from tests.runtime.members import blobs, component, member

DATA = blobs(shape=(1, 6, 6), examples=40)
CONV = component("model", "cnn", channels=[4, 4], hidden=[8])
MODELS = {
    "mlp": (
        component("model", "mlp", hidden=[16]),
        lambda: nn.Sequential(nn.Flatten(), nn.Linear(36, 16), nn.ReLU(), nn.Linear(16, 3)),
    ),
    "cnn": (
        CONV,
        lambda: nn.Sequential(
            *(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(4, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Flatten(), nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3)),
        ),
    ),
}
SCHEDULE = component("schedule", "cosine")
OPTIMIZERS = {
    "sgd": (
        component("optimizer", "sgd", lr=0.1, momentum=0.9, weight_decay=1e-3, schedule=SCHEDULE),
        lambda values: torch.optim.SGD(values, lr=0.1, momentum=0.9, weight_decay=1e-3),
    ),
    "nesterov": (
        component("optimizer", "sgd", lr=0.1, momentum=0.8, nesterov=True, clip=0.7, schedule=SCHEDULE),
        lambda values: torch.optim.SGD(values, lr=0.1, momentum=0.8, nesterov=True),
    ),
    "gd": (
        component("optimizer", "gd", lr=0.1, momentum=0.5, schedule=SCHEDULE),
        lambda values: torch.optim.SGD(values, lr=0.1, momentum=0.5),
    ),
    "adam": (
        component("optimizer", "adam", lr=0.01, weight_decay=1e-3, schedule=SCHEDULE),
        lambda values: torch.optim.Adam(values, lr=0.01, weight_decay=1e-3),
    ),
    "adamw": (
        component("optimizer", "adamw", lr=0.01, weight_decay=0.1, schedule=SCHEDULE),
        lambda values: torch.optim.AdamW(values, lr=0.01, weight_decay=0.1),
    ),
}


def plain_loop(one, module, optimizer, dtype, clip):
    """What the engine should have done, with torch's own parts."""
    split = one.data.split("fit")
    inputs, targets = split.inputs.to(dtype), split.targets
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda t: build.factors(one)[min(t, one.steps - 1)]
    )
    for step in range(one.steps):
        epoch, place = divmod(step, one.steps_per_epoch)
        index = torch.from_numpy(order(one.seed, epoch, one.examples))
        rows = index[place * one.batch_size : (place + 1) * one.batch_size]
        optimizer.zero_grad()
        cross_entropy(module(inputs[rows]), targets[rows]).backward()
        if clip:
            nn.utils.clip_grad_norm_(module.parameters(), clip)
        optimizer.step()
        schedule.step()


def difference(model: str, optimizer: str, steps: int, dtype: torch.dtype) -> float:
    """Largest difference of any parameter of the second of two members."""
    made, torch_made = OPTIMIZERS[optimizer]
    members = [
        member(
            DATA, seed=seed, model=MODELS[model][0], optimizer=made, budget=Length(steps, "steps"), batch=16
        )
        for seed in (3, 4)
    ]
    one = members[1]
    start = build.network(one).init([one.seed]).parameters
    module = MODELS[model][1]().to(dtype)
    with torch.no_grad():
        for value, given in zip(module.parameters(), start.values(), strict=True):
            value.copy_(given[0])
    clip = 0.7 if optimizer == "nesterov" else None
    plain_loop(one, module, torch_made(module.parameters()), dtype, clip)
    fitted = fit(members, dtype=dtype)[1]
    pairs = zip(module.parameters(), fitted.state.parameters.values(), strict=True)
    return max(float((mine[0] - theirs).abs().max().detach()) for theirs, mine in pairs)


@pytest.mark.parametrize("optimizer", sorted(OPTIMIZERS))
@pytest.mark.parametrize("steps", [1, 10, 100])
def test_double_precision_agrees_to_ten_digits(optimizer, steps) -> None:
    assert difference("mlp", optimizer, steps, torch.float64) < 1e-10


def test_double_precision_agrees_for_convolutions() -> None:
    assert difference("cnn", "sgd", 100, torch.float64) < 1e-10


@pytest.mark.parametrize(
    ("model", "optimizer", "steps", "bound"),
    # A step moves a weight by about lr times a gradient of order one, rounded to 2^-24 of it in either loop;
    # training is stable here, so that the differences of successive steps add up and do not grow.
    [
        ("mlp", "sgd", 1, 2.4e-7),
        ("mlp", "sgd", 10, 1e-6),
        ("mlp", "sgd", 100, 5e-6),
        ("cnn", "sgd", 100, 1e-5),
    ],
)
def test_single_precision_agrees_to_rounding(model, optimizer, steps, bound) -> None:
    assert difference(model, optimizer, steps, torch.float32) < bound
