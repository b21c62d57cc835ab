"""Members that leave a stack, by their stop, their budget or a NaN, change no bit of those that stay."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.length import Length
from gendsl_runtime.train.fitted import Diverged, Fitted
from gendsl_runtime.train.loop import fit
from gendsl_runtime.train.member import Member
from tests.runtime.members import blobs, component, member, same

MODELS = [
    component("model", "mlp", hidden=[8]),
    component("model", "mlp", hidden=[8], norm="batch"),
    component("model", "mlp", hidden=[8], norm="layer", dropout=0.2),
]
OPTIMIZERS = ["sgd", "adam"]


def with_nan(data: Dataset, example: int) -> Dataset:
    """The same data with one input that is not a number: no dataset of ours lets it in, but it is tried here."""
    inputs = data.splits["train"].inputs.clone()
    inputs[example, 0] = torch.nan
    return data.with_splits(train=Split(inputs, data.splits["train"].targets))


def company(model, optimizer: str) -> list[Member]:
    """Members of one stack that end in every way there is, between others that do not."""
    data, rate = blobs(), component("optimizer", optimizer, lr=0.05)
    calm = member(data, model=model, optimizer=rate, budget=Length(4, "epochs"))
    wild = component("optimizer", optimizer, lr=float("1e38"))
    poisoned = with_nan(data, 30)
    return [
        replace(calm, seed=0),
        replace(calm, seed=1, data=poisoned, data_digest=b"nan"),
        replace(calm, seed=2, stop=("train_loss", "<", 100.0)),
        replace(calm, seed=3, optimizer=wild),
        replace(calm, seed=4, budget=Length(5, "steps")),
        replace(calm, seed=5),
        replace(calm, seed=6, data=poisoned, data_digest=b"nan"),
        replace(calm, seed=7, checkpoints=(1, 3)),
    ]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("model", MODELS, ids=["plain", "batch norm", "layer norm and dropout"])
def test_whatever_becomes_of_the_others(model, optimizer: str) -> None:
    members = company(model, optimizer)
    together, alone = fit(members), fit(members, fuse=False)
    for one, other in zip(together, alone, strict=True):
        assert isinstance(one, Diverged) == isinstance(other, Diverged)
        assert one == other if isinstance(one, Diverged) else same(one, other)
    assert [place for place, one in enumerate(together) if isinstance(one, Diverged)][:1] == [1]
    assert isinstance(together[6], Diverged)
    kept = [one for one in together if isinstance(one, Fitted)]
    assert {one.status for one in kept} == {"budget", "stopped"}
    assert all(value.isfinite().all() for one in kept for value in one.state.parameters.values())


def test_a_nan_is_told_with_its_step() -> None:
    """Example 30 of 50 is seen in the first epoch, at the step of its batch of 16 in the member's own order."""
    from gendsl_runtime.train.order import order

    poisoned = with_nan(blobs(), 30)
    found = fit([member(poisoned, seed=seed) for seed in range(4)])
    for seed, one in enumerate(found):
        place = list(order(seed, 0, 50)).index(30)
        assert isinstance(one, Diverged) and one.step == place // 16 + 1


def test_buffers_that_are_not_finite_are_divergence() -> None:
    """With batch norm an input of 1e30 squares to infinity in the running variance while the loss stays finite."""
    data = blobs()
    inputs = data.splits["train"].inputs.clone()
    inputs[:, 0] = 1e30 * torch.rand(len(inputs), generator=torch.Generator().manual_seed(0))
    huge = data.with_splits(train=Split(inputs, data.splits["train"].targets))
    model = component("model", "mlp", hidden=[8], norm="batch")
    calm = member(data, model=model)
    wild = member(huge, model=model, seed=1)
    first, second = fit([calm, wild])
    assert isinstance(second, Diverged)
    assert same(first, fit([calm])[0])
