"""Normalised outputs against plain torch, and what they do not depend on."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from gendsl_runtime.length import Length
from gendsl_runtime.models.mlp import mlp
from gendsl_runtime.models.normalised import normalised
from gendsl_runtime.models.random_features import random_features
from gendsl_runtime.network import Network
from gendsl_runtime.train.loop import fit
from tests.runtime.members import blobs, component, member, same

DATA = blobs(shape=(4,), examples=24, classes=2)
PLAIN = component("model", "mlp", hidden=[8])


def small(shape: tuple[int, ...], outputs: int) -> Network:
    return mlp(shape, outputs, hidden=[8])


def apply(net: Network, state, inputs, *, training: bool = False):
    return net.apply(state.parameters, state.buffers, inputs, training=training)[0]


def test_outputs_are_those_of_plain_torch_over_the_norms() -> None:
    net = normalised((4,), 2, small, norm=3.0)
    state = net.init([0, 1])
    inputs = torch.randn(2, 5, 4)
    found = apply(net, state, inputs)
    for row in range(2):
        module = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
        for value, own in zip(module.parameters(), state.parameters.values(), strict=True):
            value.data.copy_(own[row])
        factor = (
            torch.linalg.matrix_norm(module[0].weight) / 3 * torch.linalg.matrix_norm(module[2].weight) / 3
        )
        torch.testing.assert_close(found[row].T, module(inputs[row]) / factor)


def test_convolutions_are_taken_as_a_whole() -> None:
    conv = component("model", "cnn", channels=[3], hidden=[])
    net = component("model", "normalised", net=conv, norm=2.0)
    data = blobs(shape=(1, 4, 4), classes=2)
    (run,), (plain,) = (fit([member(data, model=one, budget=Length(0, "epochs"))]) for one in (net, conv))
    assert all(
        torch.equal(plain.state.parameters[name], value) for name, value in run.state.parameters.items()
    )
    from gendsl_runtime.train.normalised import factors

    parameters = run.state.parameters
    expected = parameters["conv.0.weight"].norm() / 2 * parameters["output.weight"].norm() / 2
    torch.testing.assert_close(factors(parameters, 2.0), expected[None])


def test_without_offsets_the_scale_of_a_layer_does_not_matter() -> None:
    net = normalised((4,), 2, lambda shape, outputs: mlp(shape, outputs, hidden=[8], bias=False))
    state, inputs = net.init([3]), torch.randn(1, 6, 4)
    before = apply(net, state, inputs)
    state.parameters["hidden.0.weight"].mul_(7.0)
    torch.testing.assert_close(apply(net, state, inputs), before)


def test_training_with_plain_outputs_is_plain_training() -> None:
    """To the bit, by gradients written out; only what is measured is another loss."""
    own = member(DATA, model=component("model", "normalised", net=PLAIN))
    (found,), (plain,) = fit([own]), fit([member(DATA, model=PLAIN)])
    assert same(found, plain)


def test_a_stop_is_measured_with_normalised_outputs() -> None:
    net = component("model", "normalised", net=PLAIN)
    one = member(DATA, model=net, budget=Length(400, "epochs"), stop=("train_loss", "<", 0.62))
    (found,) = fit([one])
    assert found.status == "stopped"
    built = normalised((4,), 2, small)
    split = DATA.split("train")
    outputs = apply(built, found.state, split.inputs[None])[0].T
    assert float(cross_entropy(outputs, split.targets)) < 0.62


def test_always_lowers_the_normalised_loss_itself() -> None:
    """Its gradient is at right angles to the weights of each layer, without offsets."""
    net = normalised(
        (4,), 2, lambda shape, outputs: mlp(shape, outputs, hidden=[8], bias=False), when="always"
    )
    state = net.init([0])
    leaves = {name: value.requires_grad_() for name, value in state.parameters.items()}
    split = DATA.split("train")
    outputs = net.apply(leaves, {}, split.inputs[None], training=True)[0][0].T
    gradients = torch.autograd.grad(cross_entropy(outputs, split.targets), list(leaves.values()))
    for value, gradient in zip(leaves.values(), gradients, strict=True):
        assert float((value * gradient).sum().detach().abs()) < 1e-6
        assert float(gradient.norm()) > 1e-4


@pytest.mark.parametrize("when", ["evaluation", "always"])
def test_a_member_is_the_same_in_any_company(when) -> None:
    net = component("model", "normalised", net=PLAIN, when=when)
    members = [member(DATA, model=net, seed=seed, stop=("train_loss", "<", 0.66)) for seed in range(3)]
    assert all(same(fit([one])[0], found) for one, found in zip(members, fit(members), strict=True))


def test_random_features_have_one_layer_of_weights() -> None:
    net = normalised((4,), 2, lambda shape, outputs: random_features(shape, outputs))
    assert apply(net, net.init([0]), torch.randn(1, 3, 4)).shape == (1, 2, 3)


def test_learning_rates_of_layers_are_those_of_its_network() -> None:
    """mup: the same bits as without the division, which steps do not see."""
    inner = component("model", "mlp", hidden=[32], parametrisation="mup")
    net = component("model", "normalised", net=inner)
    (found,), (plain,) = fit([member(DATA, model=net)]), fit([member(DATA, model=inner)])
    assert same(found, plain)
    (standard,) = fit([member(DATA, model=component("model", "mlp", hidden=[32]))])
    assert not same(plain, standard)


@pytest.mark.parametrize("when", ["evaluation", "always"])
def test_it_starts_from_runs_that_its_network_starts_from(when) -> None:
    (source,) = fit([member(DATA, model=component("model", "linear"))])
    planted = component("model", "embedded", net=PLAIN)
    net = component("model", "normalised", net=planted, when=when)
    nothing = Length(0, "epochs")
    (found,), (plain,) = (
        fit([member(DATA, model=one, init=source.state, budget=nothing)]) for one in (net, planted)
    )
    assert all(
        torch.equal(value, found.state.parameters[name]) for name, value in plain.state.parameters.items()
    )
