"""Smaller networks planted in larger ones: the function, what is dead, the push, and what is refused."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from gendsl_runtime.length import Length
from gendsl_runtime.models.embedded import embedded
from gendsl_runtime.models.linear import linear
from gendsl_runtime.models.mlp import mlp
from gendsl_runtime.network import Network, State
from gendsl_runtime.problem import Problem
from gendsl_runtime.train.embedded import Embedded
from gendsl_runtime.train.loop import fit
from tests.runtime.members import blobs, component, member

INPUTS = torch.rand(1, 40, 6)


def network(hidden: list[int], **given: float) -> Embedded:
    made = embedded((6,), 3, lambda *of: mlp(*of, hidden=hidden), **given)
    assert isinstance(made, Embedded)
    return made


def small(hidden: list[int]) -> Network:
    return mlp((6,), 3, hidden=hidden) if hidden else linear((6,), 3)


def outputs(made: Network, state: State) -> Tensor:
    inputs = INPUTS.to(next(iter(state.parameters.values())).dtype)
    return made.apply(state.parameters, state.buffers, inputs, training=False)[0]


def heights(state: State, layers: int) -> list[Tensor]:
    """Pre-activations `(units, examples)` of the hidden layers, written out."""
    found, hidden = [], INPUTS[0].T
    for place in range(layers):
        weight, bias = (state.parameters[f"hidden.{place}.{name}"][0] for name in ("weight", "bias"))
        found.append(weight @ hidden + bias[:, None])
        hidden = found[-1].relu()
    return found


@pytest.mark.parametrize(
    ("inner", "outer"),
    [([], [5]), ([], [4, 3, 6]), ([4], [7]), ([4], [5, 8]), ([4, 2], [4, 6, 3]), ([4, 2], [9, 9])],
)
def test_it_starts_as_the_smaller_network(inner: list[int], outer: list[int]) -> None:
    """In float64 to rounding: lifted by 5 and lowered again."""
    own = network(outer, shift=5.0)
    source = small(inner).init([3]).to("cpu", torch.float64)
    start = own.adopt(source, own.init([8]), 8).to("cpu", torch.float64)
    found, expected = (outputs(made, state) for made, state in ((own, start), (small(inner), source)))
    torch.testing.assert_close(
        found, expected, atol=5e-6, rtol=0
    )  # lifted by 5 in float32, over three layers
    assert {n: v.shape for n, v in start.parameters.items()} == {
        n: v.shape for n, v in own.init([8]).parameters.items()
    }


def test_what_passes_on_is_on_and_the_rest_is_off_by_the_shift() -> None:
    own = network([5, 7], shift=5.0)
    start = own.adopt(linear((6,), 3).init([3]), own.init([8]), 8)
    for layer in heights(start, 2):
        assert bool((layer[:3] > 0).all())
        assert bool((layer[3:] == -5.0).all())
    assert not bool(start.parameters["output.weight"][0, :, 3:].any())


def test_live_units_of_a_smaller_network_are_its_own_bits() -> None:
    own, source = network([7, 9], shift=5.0), mlp((6,), 3, hidden=[4, 2]).init([3])
    start = own.adopt(source, own.init([8]), 8)
    for layer, units in zip(heights(start, 2), (4, 2), strict=True):
        assert bool((layer[units:] == -5.0).all())
    for name, value in source.parameters.items():
        corner = tuple(slice(0, side) for side in value.shape)
        assert torch.equal(start.parameters[name][corner], value), name


def test_without_a_run_it_is_its_network() -> None:
    found, expected = network([5]).init([4, 2]), mlp((6,), 3, hidden=[5]).init([4, 2])
    for name, value in expected.parameters.items():
        assert torch.equal(found.parameters[name], value)


def test_the_push_is_normal_noise_of_the_own_seed() -> None:
    """Over 40,000 weights the variance is known to a relative deviation of (2/40000)^(1/2): five of them."""
    wide, still = (network([400, 100], push=push, shift=5.0) for push in (0.25, 0.0))
    source = linear((6,), 3).init([3])
    starts = [
        made.adopt(source, made.init([seed]), seed) for made, seed in ((still, 8), (wide, 8), (wide, 9))
    ]
    middle, moved, other = (start.parameters["hidden.1.weight"] for start in starts)
    pushes = (moved - middle).flatten() / 0.25
    assert abs(float(pushes.square().mean()) - 1) < 5 * (2 / 40_000) ** 0.5
    assert abs(float(pushes.mean())) < 5 / 200
    assert float(torch.corrcoef(torch.stack([pushes, (other - middle).flatten()]))[0, 1].abs()) < 5 / 200
    fresh = wide.init([8]).parameters["hidden.1.weight"] - still.init([8]).parameters["hidden.1.weight"]
    torch.testing.assert_close(fresh.flatten() / 0.25, pushes, atol=1e-5, rtol=0)


def test_in_training_each_member_starts_from_its_own_run() -> None:
    data, loss = blobs(shape=(6,), examples=40), component("loss", "mse")
    plain = {"batch": None, "loss": loss, "budget": Length(1, "steps")}
    sources = [fit([member(data, model=component("model", "linear"), seed=s, **plain)])[0] for s in (1, 2)]
    model = component("model", "embedded", net=component("model", "mlp", hidden=[5, 4]), push=0.1)
    still = component("optimizer", "gd", lr=1e-30)
    members = [
        member(data, model=model, seed=s, init=source.state, optimizer=still, **plain)
        for s, source in zip((5, 6), sources, strict=True)
    ]
    own = network([5, 4], push=0.1)
    for one, fitted in zip(members, fit(members), strict=True):
        expected = own.adopt(one.init, own.init([one.seed]), one.seed)
        for name, value in expected.parameters.items():
            assert torch.equal(fitted.state.parameters[name], value), name


def test_a_run_of_its_own_is_taken_as_it_is() -> None:
    own, source = network([5, 4]), mlp((6,), 3, hidden=[5, 4]).init([3])
    start = own.adopt(source, own.init([8]), 8)
    assert all(torch.equal(start.parameters[name], value) for name, value in source.parameters.items())


@pytest.mark.parametrize(
    "source",
    [
        mlp((6,), 3, hidden=[6]),
        mlp((6,), 3, hidden=[5, 4, 3]),
        linear((7,), 3),
        linear((6,), 2),
        linear((6,), 4),
    ],
)
def test_what_does_not_fit_is_refused(source: Network) -> None:
    own = network([5, 4])
    with pytest.raises(Problem, match="does not fit"):
        own.adopt(source.init([3]), own.init([8]), 8)


def test_outputs_need_a_unit_each_to_be_passed_on() -> None:
    own = network([5, 2])
    with pytest.raises(Problem, match="does not fit"):
        own.adopt(linear((6,), 3).init([3]), own.init([8]), 8)


def test_runs_of_other_kinds_are_refused() -> None:
    own = network([5, 4])
    for source in (linear((6,), 3, bias=False), mlp((6,), 3, hidden=[4], norm="batch")):
        with pytest.raises(Problem, match="another kind"):
            own.adopt(source.init([3]), own.init([8]), 8)


@pytest.mark.parametrize(
    "given",
    [{"activation": "tanh"}, {"bias": False}, {"norm": "layer"}, {"parametrisation": "ntk"}, {"hidden": []}],
)
def test_other_networks_are_refused(given: dict[str, object]) -> None:
    with pytest.raises(Problem, match="ReLU"):
        embedded((6,), 3, lambda *of: mlp(*of, **{"hidden": [5], **given}))
