"""Permutations of units: functions stay as they are, planted ones are found, small cases by exhaustive search."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations, product

import numpy as np
import pytest
import torch

from gendsl_runtime.measures.alignment import (
    aligned,
    assigned,
    by_activations,
    by_weights,
    permuted,
)
from gendsl_runtime.measures.symmetry import groups
from gendsl_runtime.models.cnn import cnn
from gendsl_runtime.models.deep_linear import deep_linear
from gendsl_runtime.models.mlp import mlp
from gendsl_runtime.models.resnet import resnet
from gendsl_runtime.models.transformer import transformer
from gendsl_runtime.models.vgg import vgg
from gendsl_runtime.network import State
from gendsl_runtime.problem import Problem

NETWORKS = {
    "mlp": mlp((5,), 3, hidden=[6, 7]),
    "batch": mlp((5,), 3, hidden=[6, 7], norm="batch", activation="tanh"),
    "layer": mlp((5,), 3, hidden=[6, 6, 6], norm="layer", skip=True),
    "ntk": mlp((5,), 3, hidden=[6], parametrisation="ntk"),
    "linear": deep_linear((5,), 3, width=4),
    "cnn": cnn((2, 9, 9), 3, channels=[4, 6], hidden=[8]),
    "cnn batch": cnn((1, 8, 8), 3, channels=[4], hidden=[8, 5], norm="batch", pool="average"),
    "cnn group": cnn((1, 8, 8), 3, channels=[12], hidden=[8], norm="group"),
    "resnet": resnet((1, 8, 8), 3, width=16, stages=2),
    "resnet batch": resnet((1, 8, 8), 3, width=8, stages=2, blocks=2, norm="batch"),
    "vgg": vgg((3, 16, 16), 4),
}


def stream() -> np.random.Generator:
    return np.random.default_rng(0)


def shuffled(units, chance) -> list[np.ndarray]:
    """Random orders that GroupNorm allows."""

    def order(group):
        width = group.size // group.blocks
        return np.concatenate(
            [b * width + chance.permutation(width) for b in chance.permutation(group.blocks)]
        )

    return [order(group) for group in units]


def moved(network) -> State:
    """A fresh state in which no value is what it started with, statistics and biases included."""
    state, chance = network.init([3]), torch.Generator().manual_seed(1)

    def shaken(tensor):
        return tensor.double() + 0.1 * torch.rand(tensor.shape, generator=chance, dtype=torch.float64)

    return State(
        {name: shaken(value) for name, value in state.parameters.items()},
        {name: shaken(value) for name, value in state.buffers.items()},
    )


def outputs(network, state) -> torch.Tensor:
    inputs = torch.randn(1, 11, *network.shape, generator=torch.Generator().manual_seed(2)).double()
    return network.apply(state.parameters, state.buffers, inputs, training=False)[0]


@pytest.mark.parametrize("name", NETWORKS)
def test_a_permuted_network_is_the_same_function(name):
    network = NETWORKS[name]
    state, units = moved(network), groups(network)
    assert units
    other = permuted(state, units, shuffled(units, stream()))
    assert any(not torch.equal(other.parameters[key], value) for key, value in state.parameters.items())
    # Sums run in another order: some units in the last place of float64.
    expected = outputs(network, state)
    assert torch.allclose(outputs(network, other), expected, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_planted_permutation_is_found_from_weights(name):
    network = NETWORKS[name]
    state, units = moved(network), groups(network)
    other = permuted(state, units, shuffled(units, stream()))
    back = permuted(other, units, by_weights(state.parameters, other.parameters, units, stream()))
    assert all(torch.equal(back.parameters[key], value) for key, value in state.parameters.items())
    assert all(torch.equal(back.buffers[key], value) for key, value in state.buffers.items())


@pytest.mark.parametrize("seed", range(4))
def test_layers_from_a_residual_stream_back_to_it_are_permuted_on_both_sides(seed):
    """With noise on the weights the present order of the other side of the same weight matters."""
    network, chance = mlp((20,), 5, hidden=[16, 16, 16], skip=True), torch.Generator().manual_seed(seed)
    state, units = network.init([seed]).to("cpu", torch.float64), groups(network)
    orders = shuffled(units, np.random.default_rng(seed))
    noisy = {
        name: value + 0.8 * value.std() * torch.randn(value.shape, generator=chance, dtype=torch.float64)
        for name, value in permuted(state, units, orders).parameters.items()
    }
    found = by_weights(state.parameters, noisy, units, np.random.default_rng(seed))
    assert all(np.array_equal(one, np.argsort(order)) for one, order in zip(found, orders, strict=True))


def test_a_planted_permutation_is_found_from_activations(make_runs):
    runs = make_runs((3,), network=mlp((3,), 3, hidden=[6, 5], norm="layer", activation="tanh"), train=600)
    units = groups(runs.network)
    other = replace(runs, state=permuted(runs.state, units, shuffled(units, stream())))
    for by in ("weights", "activations"):
        back = aligned(runs, other, stream(), by=by)
        assert all(torch.equal(back.state.parameters[k], v) for k, v in runs.state.parameters.items()), by


def test_activations_are_matched_by_their_correlations(make_runs):
    runs = make_runs((1,), hidden=[4], train=50)
    other = replace(runs, state=runs.network.init([9]))
    (order,) = by_activations(runs, other, groups(runs.network), "fit")
    inputs = runs.split("fit")[0][0].double()
    units = []
    for one in (runs, other):
        w, b = (one.state.parameters[f"hidden.0.{part}"][0].double() for part in ("weight", "bias"))
        units.append(torch.tanh(inputs @ w.T + b).numpy())
    table = np.corrcoef(units[0].T, units[1].T)[:4, 4:]
    best = max(permutations(range(4)), key=lambda one: sum(table[i, j] for i, j in enumerate(one)))
    assert tuple(order) == best


def product_of(state: State, other: State) -> float:
    return sum(float((value * other.parameters[key]).sum()) for key, value in state.parameters.items())


def test_one_hidden_layer_is_matched_as_by_exhaustive_search():
    network = mlp((4,), 3, hidden=[6])
    units = groups(network)
    state, other = (moved(network), State(*(network.init([8]).to("cpu", torch.float64).__dict__.values())))
    (order,) = by_weights(state.parameters, other.parameters, units, stream())
    values = {
        one: product_of(state, permuted(other, units, [np.array(one)])) for one in permutations(range(6))
    }
    assert values[tuple(order)] == pytest.approx(max(values.values()), rel=1e-12)


@pytest.mark.parametrize("seed", range(6))
def test_two_hidden_layers_end_where_no_layer_alone_can_be_better(seed):
    network = mlp((4,), 3, hidden=[4, 3])
    units = groups(network)
    state, other = (network.init([one]).to("cpu", torch.float64) for one in (seed, seed + 50))
    orders = by_weights(state.parameters, other.parameters, units, np.random.default_rng(seed))
    found = product_of(state, permuted(other, units, orders))
    every = list(product(permutations(range(4)), permutations(range(3))))
    values = {pair: product_of(state, permuted(other, units, list(map(np.array, pair)))) for pair in every}
    chosen = tuple(tuple(order) for order in orders)
    neighbours = [pair for pair in every if pair[0] == chosen[0] or pair[1] == chosen[1]]
    assert found == pytest.approx(max(values[pair] for pair in neighbours), rel=1e-12)
    identity = (tuple(range(4)), tuple(range(3)))
    assert values[identity] <= found <= max(values.values()) + 1e-12


def test_blocks_are_matched_as_by_exhaustive_search():
    gains = stream().standard_normal((6, 6))
    found = assigned(gains, blocks=3)
    best = -np.inf
    for outer in permutations(range(3)):
        for inner in product(permutations(range(2)), repeat=3):
            order = [2 * outer[b] + inner[b][k] for b in range(3) for k in range(2)]
            best = max(best, sum(gains[i, j] for i, j in enumerate(order)))
    assert sum(gains[i, j] for i, j in enumerate(found)) == pytest.approx(best, rel=1e-12)
    assert assigned(gains).sum() == 15


def test_what_cannot_be_followed_is_refused():
    with pytest.raises(Problem, match="cannot be aligned") as told:
        groups(transformer((4, 3), 3))
    assert told.value.code == "unknown-layers"
