"""What layers see, against torch's autograd example by example."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import numpy as np
import pytest
import torch
from torch import Tensor

from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.measures.layers import has_records, hidden, layer_names, records, traced
from gendsl_runtime.models.autoencoder import autoencoder
from gendsl_runtime.models.cnn import cnn
from gendsl_runtime.models.mlp import mlp
from gendsl_runtime.models.random_features import random_features
from gendsl_runtime.models.resnet import resnet
from gendsl_runtime.models.rnn import rnn
from gendsl_runtime.models.transformer import transformer
from gendsl_runtime.models.vgg import vgg
from gendsl_runtime.network import Network, State
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Runs

IMAGE = (2, 8, 8)
NETWORKS: dict[str, Callable[[], Network]] = {
    "mlp": lambda: mlp((5,), 3, hidden=[7, 6], activation="tanh"),
    "ntk": lambda: mlp((5,), 3, hidden=[7, 6], activation="erf", parametrisation="ntk", scale=1.5),
    "mup": lambda: mlp((5,), 3, hidden=[8, 8], activation="tanh", parametrisation="mup", base_width=4),
    "no bias": lambda: mlp((5,), 3, hidden=[7], activation="tanh", bias=False),
    "layer norm and skip": lambda: mlp((5,), 3, hidden=[5, 5], activation="gelu", norm="layer", skip=True),
    "batch norm": lambda: mlp((5,), 3, hidden=[6], activation="tanh", norm="batch", dropout=0.5),
    "random features": lambda: random_features((5,), 3, features=9),
    "cnn": lambda: cnn(IMAGE, 3, channels=[3, 4], hidden=[5], activation="tanh", norm="group"),
    "cnn batch": lambda: cnn(IMAGE, 3, channels=[3], hidden=[], activation="gelu", norm="batch", size=2),
    "resnet": lambda: resnet(IMAGE, 3, width=4, stages=2),
    "vgg": lambda: vgg(IMAGE, 3, width=3, stages=2, depth=1, hidden=[4]),
}
EXAMPLES = 6


def stack(network: Network, seeds: tuple[int, ...] = (4, 7)) -> Runs:
    """Networks in float64 whose values and running statistics are all moved off their start."""
    chance = torch.Generator().manual_seed(1)

    def moved(tensor: Tensor) -> Tensor:
        return tensor + 0.3 * torch.rand(tensor.shape, generator=chance, dtype=torch.float64)

    fresh = network.init(seeds).to("cpu", torch.float64)
    state = State(
        *({name: moved(value) for name, value in part.items()} for part in (fresh.parameters, fresh.buffers))
    )
    shape = network.shape
    data = Dataset({"train": Split(torch.zeros(1, *shape), torch.zeros(1))}, "classification", shape, 3)
    return Runs(network, state, (data,) * len(seeds), seeds, log_loss)


def log_loss(outputs: Tensor, targets: Tensor) -> Tensor:
    return torch.nn.functional.cross_entropy(outputs, targets, reduction="none")


def batch(runs: Runs) -> tuple[Tensor, Tensor]:
    chance = torch.Generator().manual_seed(2)
    inputs = torch.randn(runs.members, EXAMPLES, *runs.network.shape, generator=chance, dtype=torch.float64)
    return inputs, torch.arange(EXAMPLES).remainder(3).expand(runs.members, -1)


def by_autograd(runs: Runs, inputs: Tensor, value: Callable[[Tensor, int], Tensor]) -> dict[str, Tensor]:
    """Gradients `(M, N, ...)` of a number of each example's outputs, one example after the other."""
    leaves = {name: tensor.detach().requires_grad_() for name, tensor in runs.state.parameters.items()}
    found: dict[str, list[Tensor]] = {name: [] for name in leaves}
    for example in range(inputs.shape[1]):
        outputs = runs.outputs(inputs[:, example : example + 1], leaves)
        for name, tensor in zip(
            leaves, torch.autograd.grad(value(outputs, example).sum(), list(leaves.values())), strict=True
        ):
            found[name].append(tensor)
    return {name: torch.stack(each, 1) for name, each in found.items()}


@pytest.mark.parametrize("name", NETWORKS)
def test_gradients_of_the_loss(name: str) -> None:
    runs = stack(NETWORKS[name]())
    inputs, targets = batch(runs)
    expected = by_autograd(
        runs, inputs, lambda outputs, example: runs.loss(outputs, targets[:, example : example + 1])
    )
    found = records(runs, inputs, targets)
    gradients = {key: value for record in found for key, value in record.gradients().items()}
    assert gradients.keys() == expected.keys()
    for key, value in gradients.items():
        # Sums of a few hundred float64 products of order one.
        np.testing.assert_allclose(
            value.flatten(2), expected[key].flatten(2), rtol=1e-9, atol=1e-12, err_msg=key
        )
    for record in found:
        own = sum(expected[key].flatten(2).square().sum(2) for key in record.gradients())
        np.testing.assert_allclose(record.squared_norms(), own, rtol=1e-9)


@pytest.mark.parametrize("name", ["ntk", "cnn", "resnet"])
def test_slopes_of_one_output_after_the_other(name: str) -> None:
    runs = stack(NETWORKS[name]())
    inputs, _ = batch(runs)
    seen = traced(runs, inputs)
    np.testing.assert_array_equal(seen.outputs.detach(), runs.outputs(inputs).detach())
    for output in range(3):
        expected = by_autograd(runs, inputs, lambda outputs, _, output=output: outputs[:, output])
        slopes = torch.zeros_like(seen.outputs)
        slopes[:, output] = 1
        for record in seen.records(slopes, is_last=output == 2):
            for key, value in record.gradients().items():
                np.testing.assert_allclose(value.flatten(2), expected[key].flatten(2), rtol=1e-9, atol=1e-12)


def test_a_sequence_of_dense_layers_has_places() -> None:
    """The feed-forward part of a transformer, whose attention nobody asks for."""
    from gendsl_runtime.train.layers.layer import Layered
    from gendsl_runtime.train.layers.linear import Linear
    from gendsl_runtime.train.layers.sequence import EachStep, Read, Rows

    layers = (Rows(), EachStep(Linear("input", 3, 4)), Read("mean"), Linear("output", 4, 3))
    runs = stack(Layered((5, 3), 3, layers))
    inputs, targets = batch(runs)
    expected = by_autograd(
        runs, inputs, lambda outputs, example: runs.loss(outputs, targets[:, example : example + 1])
    )
    first = records(runs, inputs, targets)[0]
    assert first.inputs.shape == (2, 3, 5, EXAMPLES)
    np.testing.assert_allclose(
        first.gradients()["input.weight"], expected["input.weight"], rtol=1e-9, atol=1e-12
    )


@pytest.mark.parametrize("name", NETWORKS)
def test_bits_are_those_of_a_lone_member(name: str) -> None:
    network = NETWORKS[name]()
    runs = stack(network, (3, 1, 4))
    runs = Runs(network, runs.state.to("cpu", torch.float32), runs.data, runs.seeds, runs.loss)
    inputs, targets = (value.float() if value.is_floating_point() else value for value in batch(runs))
    whole = records(runs, inputs, targets)
    alone = records(runs.select([1]), inputs[1:2], targets[1:2])
    for one, many in zip(alone, whole, strict=True):
        assert torch.equal(one.slopes[0], many.slopes[1]), one.name
        assert torch.equal(one.inputs[0], many.inputs[1]), one.name
        assert torch.equal(one.squared_norms()[0], many.squared_norms()[1]), one.name
    reps = hidden(runs, inputs), hidden(runs.select([1]), inputs[1:2])
    assert all(torch.equal(value[0], reps[0][key][1]) for key, value in reps[1].items())


def test_representations_are_what_the_next_layer_takes() -> None:
    runs = stack(mlp((5,), 3, hidden=[7, 6], activation="tanh"))
    inputs, _ = batch(runs)
    found = hidden(runs, inputs)
    assert list(found) == ["hidden.0", "hidden.1", "output"] == list(layer_names(runs.network))
    values = runs.state.parameters
    first = torch.tanh(
        values["hidden.0.weight"] @ inputs.transpose(1, 2) + values["hidden.0.bias"][:, :, None]
    )
    np.testing.assert_allclose(found["hidden.0"], first, rtol=1e-12)
    np.testing.assert_array_equal(found["output"], runs.outputs(inputs))


@pytest.mark.parametrize(
    ("network", "names"),
    [
        (cnn(IMAGE, 3, channels=[3, 4], hidden=[5]), ["conv.0", "conv.1", "hidden.0", "output"]),
        (resnet(IMAGE, 3, width=4, stages=2), ["stem", "stage.0.0", "stage.1.0", "output"]),
        (mlp((5,), 3, hidden=[5, 5], norm="layer", skip=True), ["hidden.0", "hidden.1", "output"]),
        (transformer((5, 3), 3, layers=2, width=4, heads=2), ["input", "block.0", "block.1", "output"]),
        (rnn((5, 3), 3, layers=2, hidden=4), ["recurrent.0", "recurrent.1", "output"]),
        (
            autoencoder((5,), 5, hidden=[4], bottleneck=2, tied=True),
            ["encoder.0", "encoder.1", "decoder.0", "decoder.1"],
        ),
        (random_features((5,), 3, features=4), ["features", "output"]),
    ],
)
def test_names_and_shapes(network: Network, names: list[str]) -> None:
    runs = stack(network)
    inputs, _ = batch(runs)
    found = hidden(runs, inputs)
    assert list(found) == names == list(layer_names(network))
    whole = hidden(runs, inputs, is_flat=False)
    for name, value in found.items():
        assert value.shape == (2, prod(whole[name].shape[1:-1]), EXAMPLES)
    np.testing.assert_array_equal(found[names[-1]], runs.outputs(inputs))


@pytest.mark.parametrize(
    "network",
    [transformer((5, 3), 3, width=4, heads=2), rnn((5, 3), 3), autoencoder((5,), 5, hidden=[], tied=True)],
)
def test_other_layers_are_refused(network: Network) -> None:
    runs = stack(network)
    assert not has_records(network)
    with pytest.raises(Problem, match="gradients of each example are not known"):
        traced(runs, batch(runs)[0])


def test_what_has_records_is_known_beforehand() -> None:
    assert all(has_records(make()) for make in NETWORKS.values())


def test_networks_that_are_no_row_of_layers_are_refused() -> None:
    runs = stack(mlp((5,), 3))
    around = Runs(_Around(runs.network), runs.state, runs.data, runs.seeds, runs.loss)
    with pytest.raises(Problem, match="layers of this network are not known"):
        hidden(around, batch(runs)[0])
    assert not has_records(around.network)


class _Around:
    """Another network in one of its own kind."""

    def __init__(self, inner: Network) -> None:
        self.shape, self.outputs, self.is_noisy = inner.shape, inner.outputs, False
        self.init, self.apply = inner.init, inner.apply


def test_blocks_of_examples_make_no_difference() -> None:
    """Representations of 1,100 examples, in blocks of 512, are those of each block alone."""
    runs = stack(mlp((5,), 3, hidden=[6]))
    inputs = torch.randn(2, 1100, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    whole, last = hidden(runs, inputs), hidden(runs, inputs[:, 1024:])
    assert all(torch.equal(whole[name][:, :, 1024:], value) for name, value in last.items())
