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


def convolutional(norm) -> nn.Sequential:
    """The module of `cnn(channels=[4, 4], hidden=[8])`; `norm` makes its norms, if any."""
    blocks = [
        (nn.Conv2d(inputs, 4, 3, padding=1), *([norm(4)] if norm else []), nn.ReLU(), nn.MaxPool2d(2))
        for inputs in (1, 4)
    ]
    return nn.Sequential(*blocks[0], *blocks[1], nn.Flatten(), nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))


def cnn(norm: str):
    return component("model", "cnn", channels=[4, 4], hidden=[8], norm=norm)


MODELS = {
    "mlp": (
        component("model", "mlp", hidden=[16]),
        lambda: nn.Sequential(nn.Flatten(), nn.Linear(36, 16), nn.ReLU(), nn.Linear(16, 3)),
    ),
    "cnn": (cnn("none"), lambda: convolutional(None)),
    "batch": (cnn("batch"), lambda: convolutional(nn.BatchNorm2d)),
    "group": (cnn("group"), lambda: convolutional(lambda channels: nn.GroupNorm(4, channels))),
}
SCHEDULE = component("schedule", "cosine")
EPS = 1e-6
"""A bias before a norm has a gradient of zero, of which either loop sees its own rounding: some 1e-17. Steps of Adam
and RMSprop are that over eps, so with torch's 1e-8 loops differ by 1e-9 lr a step there."""
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
        component("optimizer", "adam", lr=0.01, eps=EPS, weight_decay=1e-3, schedule=SCHEDULE),
        lambda values: torch.optim.Adam(values, lr=0.01, eps=EPS, weight_decay=1e-3),
    ),
    "adamw": (
        component("optimizer", "adamw", lr=0.01, eps=EPS, weight_decay=0.1, schedule=SCHEDULE),
        lambda values: torch.optim.AdamW(values, lr=0.01, eps=EPS, weight_decay=0.1),
    ),
    "rmsprop": (
        component("optimizer", "rmsprop", lr=0.003, eps=EPS, momentum=0.5, centered=True, schedule=SCHEDULE),
        lambda values: torch.optim.RMSprop(values, lr=0.003, eps=EPS, momentum=0.5, centered=True),
    ),
    "sam": (
        component(
            "optimizer",
            "sam",
            base=component("optimizer", "sgd", lr=0.1, momentum=0.9, schedule=SCHEDULE),
            rho=0.1,
        ),
        lambda values: torch.optim.SGD(values, lr=0.1, momentum=0.9),
    ),
}
CLIPS = {"nesterov": 0.7}
RADII = {"sam": 0.1}


def plain_loop(one, module, optimizer, dtype, *, clip: float | None, radius: float | None) -> None:
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
        if radius:
            take_ahead(module, radius, lambda rows=rows: cross_entropy(module(inputs[rows]), targets[rows]))
        if clip:
            nn.utils.clip_grad_norm_(module.parameters(), clip)
        optimizer.step()
        schedule.step()


def take_ahead(module, radius: float, loss) -> None:
    """SAM: the gradients become those at a distance of `radius` uphill; running statistics stay."""
    values = list(module.parameters())
    norm = nn.utils.get_total_norm([value.grad for value in values])
    kept = [value.detach().clone() for value in values]
    buffers = {name: value.clone() for name, value in module.named_buffers()}
    with torch.no_grad():
        for value in values:
            value.add_(value.grad, alpha=float(radius / norm))
    module.zero_grad()
    loss().backward()
    with torch.no_grad():
        for value, before in zip(values, kept, strict=True):
            value.copy_(before)
        for name, value in module.named_buffers():
            value.copy_(buffers[name])


def difference(model: str, optimizer: str, steps: int, dtype: torch.dtype) -> float:
    """Largest difference of any parameter or running statistic of the second of two members."""
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
    clip, radius = CLIPS.get(optimizer), RADII.get(optimizer)
    plain_loop(one, module, torch_made(module.parameters()), dtype, clip=clip, radius=radius)
    state = fit(members, dtype=dtype)[1].state
    statistics = [value for value in module.buffers() if value.is_floating_point()]
    theirs = [*module.parameters(), *statistics]
    mine = [*state.parameters.values(), *state.buffers.values()]
    pairs = zip(theirs, mine, strict=True)
    return max(float((own[0] - other).abs().max().detach()) for other, own in pairs)


@pytest.mark.parametrize("steps", [1, 10, 100])
@pytest.mark.parametrize("optimizer", sorted(OPTIMIZERS))
@pytest.mark.parametrize("model", sorted(MODELS))
def test_double_precision_agrees_to_ten_digits(model, optimizer, steps) -> None:
    assert difference(model, optimizer, steps, torch.float64) < 1e-10


# Values are of order one, and a step moves them by lr times a gradient of order one, rounded to 2^-24 of it in
# either loop. Training is stable here, so that differences add up and do not grow: as a random walk 10 roundings of
# 6e-8 in 100 steps, four times that at most. Sums of norms over a batch of images have roundings of their own.
SINGLE = {("mlp", optimizer): 2.4e-6 for optimizer in OPTIMIZERS}
SINGLE |= {("cnn", optimizer): 5e-6 for optimizer in OPTIMIZERS}
SINGLE |= {
    (norm, optimizer): 1e-5 for norm in ("batch", "group") for optimizer in ("sgd", "nesterov", "gd", "sam")
}
SINGLE["mlp", "sgd"] = 2.4e-7


@pytest.mark.parametrize(("model", "optimizer"), sorted(SINGLE))
def test_single_precision_agrees_to_rounding(model, optimizer) -> None:
    assert difference(model, optimizer, 100, torch.float32) < SINGLE[model, optimizer]
