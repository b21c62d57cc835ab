"""Networks that read sequences, trained: exact in any company, and as a loop with torch.nn trains them."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import cross_entropy

from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.length import Length
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import BLOCK
from gendsl_runtime.train import build
from gendsl_runtime.train.loop import fit
from gendsl_runtime.train.order import order
from gendsl_runtime.train.stack import start
from tests.components.models.test_transformer import Written
from tests.runtime.members import blobs, component, member, same

VOCABULARY = 7


def tokens(*, steps: int = 5, examples: int = 21, seed: int = 0) -> Dataset:
    """Random tokens with random labels."""
    chance = torch.Generator().manual_seed(seed)

    def split(size: int) -> Split:
        inputs = torch.randint(0, VOCABULARY, (size, steps), generator=chance)
        return Split(inputs, torch.randint(0, 3, (size,), generator=chance))

    splits = {"train": split(examples), "test": split(20)}
    return Dataset(splits, "classification", (steps,), 3, vocabulary=VOCABULARY).checked("tokens")


DATA = {
    "tokens": lambda seed: tokens(seed=seed),
    "long": lambda seed: tokens(steps=14, seed=seed),
    "one step": lambda seed: tokens(steps=1, seed=seed),
    "steps": lambda seed: blobs(shape=(4, 3), examples=21, seed=seed),
    "rows": lambda seed: blobs(shape=(2, 5, 3), examples=21, seed=seed),
}
MODELS = {
    "decoder": component("model", "transformer", width=6, heads=3, feed_forward=9, activation="gelu"),
    "encoder": component("model", "transformer", width=6, heads=6, causal=False, norm="post", read="mean"),
    "dropped": component("model", "transformer", width=6, heads=2, layers=1, dropout=0.3),
    "rnn": component("model", "rnn", hidden=5, layers=2, embedding=3),
    "gru": component("model", "rnn", cell="gru", hidden=1, embedding=2),
    "lstm": component("model", "rnn", cell="lstm", hidden=7, layers=2, embedding=1),
}
OPTIMIZERS = {
    "sgd": lambda lr: component("optimizer", "sgd", lr=lr, momentum=0.9, weight_decay=1e-3, clip=0.5),
    "adamw": lambda lr: component("optimizer", "adamw", lr=lr / 10),
}


def several(model: str, data: str, optimizer: str, count: int, *, batch: int = 8):
    """Members that differ in everything that may differ inside a stack."""
    sources = [DATA[data](0), DATA[data](1)]
    return [
        member(
            sources[index % 2],
            seed=index,
            model=MODELS[model],
            optimizer=OPTIMIZERS[optimizer](0.1 * (1 + index / 40)),
            batch=batch,
            budget=Length(3 + index % 3, "steps"),
        )
        for index in range(count)
    ]


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from(sorted(MODELS)),
    st.sampled_from(sorted(DATA)),
    st.sampled_from(sorted(OPTIMIZERS)),
    st.sampled_from([1, 4, 8, 20]),
    st.data(),
)
def test_neither_number_nor_position_nor_company_matters(model, data, optimizer, batch, chance) -> None:
    members = several(model, data, optimizer, 7, batch=batch)
    together = fit(members)
    chosen = chance.draw(st.permutations(range(7)))[: chance.draw(st.integers(1, 7))]
    for index, again in zip(chosen, fit([members[index] for index in chosen]), strict=True):
        assert same(together[index], again)


@pytest.mark.parametrize("model", sorted(MODELS))
@pytest.mark.parametrize("optimizer", sorted(OPTIMIZERS))
def test_one_two_seven_and_thirty_two(model, optimizer) -> None:
    members = several(model, "tokens", optimizer, 32)
    whole = fit(members)
    for few in ([31], [5, 1], [0, 30, 2, 17, 8, 9, 31]):
        for place, again in zip(few, fit([members[place] for place in few]), strict=True):
            assert same(whole[place], again)


@pytest.mark.parametrize("model", sorted(MODELS))
def test_evaluation_is_the_same_in_any_company_and_in_pieces(model) -> None:
    data = tokens(examples=BLOCK + 45)
    stack = start(
        [member(data, seed=seed, model=MODELS[model]) for seed in range(4)], device="cpu", dtype=torch.float32
    )
    runs, alone = stack.runs(range(4)), stack.select([2]).runs([0])
    whole = runs.outputs(runs.split("train")[0])
    pieces = torch.cat([runs.outputs(inputs) for inputs, _ in runs.chunks("train")], 2)
    assert torch.equal(whole, pieces)
    assert torch.equal(whole[2:3], alone.outputs(alone.split("train")[0]))


def difference(steps: int, dtype: torch.dtype) -> float:
    """Largest difference of any parameter to those of a loop with torch.nn.

    But for the offset of the keys: it adds the same to every score of a query, which softmax does not see, so
    its gradient is rounding alone, and Adam divides that by its own size.
    """
    parts = {"causal": True, "norm": "pre", "activation": "relu", "read": "last"}
    made = component("model", "transformer", heads=3, width=12, feed_forward=20, **parts)
    one = member(
        tokens(examples=60),
        seed=4,
        model=made,
        optimizer=component("optimizer", "adamw", lr=0.01, weight_decay=0.1),
        batch=16,
        budget=Length(steps, "steps"),
    )
    module = Written(5, 3, vocabulary=VOCABULARY, features=0, **parts).to(dtype)
    started = build.network(one).init([one.seed]).parameters
    with torch.no_grad():
        for name, value in module.named():
            value.copy_(started[name][0])
    optimizer = torch.optim.AdamW(module.parameters(), lr=0.01, weight_decay=0.1)
    split = one.data.split("fit")
    for step in range(steps):
        epoch, place = divmod(step, one.steps_per_epoch)
        rows = torch.from_numpy(order(one.seed, epoch, one.examples))[place * 16 : (place + 1) * 16]
        optimizer.zero_grad()
        cross_entropy(module(split.inputs[rows]), split.targets[rows]).backward()
        optimizer.step()
    fitted = fit([replace(one, seed=3), one], dtype=dtype)[1].state.parameters
    apart = {name: (fitted[name][0] - value).detach() for name, value in module.named()}
    for name, value in apart.items():
        if name.endswith("attention.in.bias"):
            value[12:24] = 0
    return max(float(value.abs().max()) for value in apart.values())


@pytest.mark.parametrize("steps", [1, 10, 100])
def test_a_transformer_agrees_with_a_loop_to_ten_digits(steps) -> None:
    assert difference(steps, torch.float64) < 1e-10


@pytest.mark.parametrize("steps", [1, 10, 100])
def test_a_transformer_agrees_with_a_loop_to_rounding(steps) -> None:
    """Values reach 4, so each step rounds them to 2.4e-7 in either loop; were all of one sign, a hundred
    steps would add up to 5e-5."""
    assert difference(steps, torch.float32) < 5e-7 * max(steps, 2)


def test_numbers_have_no_tokens() -> None:
    with pytest.raises(Problem, match="`mlp` takes numbers, and this data has tokens"):
        fit([member(tokens())])
    with pytest.raises(Problem, match="no sequences"):
        fit([member(blobs(), model=MODELS["rnn"])])
