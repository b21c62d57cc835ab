"""Training in a random subspace: the map, its place in training, and transfer."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
import torch

from gendsl_runtime.length import Length
from gendsl_runtime.models.mlp import mlp
from gendsl_runtime.models.subspace import subspace
from gendsl_runtime.problem import Problem
from gendsl_runtime.train.loop import fit
from gendsl_runtime.train.projection import drawn, hadamard, padded, projected
from gendsl_runtime.train.subspace import Subspace
from tests.runtime.members import blobs, component, member

KINDS = ("kronecker", "dense", "fastfood")


def small(shape: tuple[int, ...], outputs: int) -> object:
    return mlp(shape, outputs, hidden=[6], activation="tanh")


def matrix(kind: str, parts: dict[str, np.ndarray], *, size: int, dimension: int) -> np.ndarray:
    """P written out, by numpy and scipy."""
    parts = {name: part if part.dtype == np.int64 else part.astype(float) for name, part in parts.items()}
    if kind == "dense":
        return parts["matrix"]
    if kind == "kronecker":
        return np.kron(parts["left"], parts["right"])[:size, :dimension]
    length = padded(size, dimension)
    walsh = scipy.linalg.hadamard(length)
    after = np.diag(parts["last_signs"]) @ walsh @ np.diag(parts["gains"])
    before = walsh @ np.diag(parts["signs"])
    return (after @ before[parts["places"]] / np.sqrt(length * size))[:size, :dimension]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("size", "dimension"), [(37, 5), (16, 16), (100, 1)])
def test_the_map_is_its_matrix(kind: str, size: int, dimension: int) -> None:
    """float64, to rounding; `kronecker` where both have whole roots, else up to how rows are cut."""
    parts = drawn(kind, 3, size=size, dimension=dimension)
    tensors = {name: torch.from_numpy(part)[None].double() for name, part in parts.items()}
    coordinates = torch.randn(1, dimension, dtype=torch.float64)
    found = projected(kind, tensors, coordinates, size=size)[0]
    expected = matrix(kind, parts, size=size, dimension=dimension) @ coordinates[0].numpy()
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_columns_have_length_one_on_average(kind: str) -> None:
    """Mean of squared lengths over 400 columns, within 5 standard errors taken from the columns' own spread."""
    lengths = []
    for seed in range(40):
        parts = drawn(kind, seed, size=400, dimension=9)
        lengths.append((matrix(kind, parts, size=400, dimension=9) ** 2).sum(0).mean())
    error = np.std(lengths, ddof=1) / np.sqrt(len(lengths))
    assert abs(np.mean(lengths) - 1) < 5 * error


def test_hadamard_against_scipy() -> None:
    values = torch.randn(3, 32, dtype=torch.float64)
    expected = values.numpy() @ scipy.linalg.hadamard(32)
    np.testing.assert_allclose(hadamard(values).numpy(), expected, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_it_starts_as_its_network_and_moves_in_the_subspace(kind: str) -> None:
    network = subspace((3,), 2, small, dimension=4, projection=kind)
    inner = mlp((3,), 2, hidden=[6], activation="tanh")
    assert isinstance(network, Subspace)
    state, own = network.init([5, 8]), inner.init([5, 8])
    inputs = torch.randn(2, 7, 3)
    found, _ = network.apply(state.parameters, state.buffers, inputs, training=False)
    expected, _ = inner.apply(own.parameters, own.buffers, inputs, training=False)
    torch.testing.assert_close(found, expected, rtol=0, atol=0)
    moved = network.weights({"coordinates": torch.ones(2, 4)}, state.buffers)
    change = torch.cat([(moved[name] - own.parameters[name]).flatten(1) for name in moved], 1)
    parts = drawn(kind, 8, size=network.size, dimension=4)
    expected_change = matrix(kind, parts, size=network.size, dimension=4).sum(1)
    np.testing.assert_allclose(change[1].numpy(), expected_change, atol=1e-6)


def trained(**changes: object) -> object:
    data = blobs(shape=(3,), examples=40, classes=2)
    return member(
        data,
        optimizer=component("optimizer", "adam", lr=0.05),
        batch=8,
        **{"seed": 5, "budget": Length(20, "epochs"), **changes},
    )


def model(dimension: int) -> object:
    inner = component("model", "mlp", hidden=[6], activation="tanh")
    return component("model", "subspace", net=inner, dimension=dimension)


def test_training_lowers_the_loss_and_leaves_start_and_map_alone() -> None:
    fitted = fit([trained(model=model(8))])[0]
    network = subspace((3,), 2, small, dimension=8)
    start = network.init([5])
    for name, value in start.buffers.items():
        assert torch.equal(fitted.state.buffers[name], value), name
    losses = fitted.history["train_loss"]
    assert losses[-1] < 0.9 * losses[0]


def test_a_run_of_the_network_itself_becomes_the_start() -> None:
    inner = component("model", "mlp", hidden=[6], activation="tanh")
    source = fit([trained(model=inner)])[0]
    moved = fit([trained(model=model(8), init=source.state, seed=9, budget=Length(1, "steps"))])[0]
    for name, value in source.state.parameters.items():
        assert torch.equal(moved.state.buffers[f"start.{name}"], value)
    fresh = subspace((3,), 2, small, dimension=8).init([9])
    assert torch.equal(moved.state.buffers["projection.left"], fresh.buffers["projection.left"])
    again = fit([trained(model=model(8), init=moved.state, seed=9, budget=Length(1, "steps"))])[0]
    assert not torch.equal(again.state.parameters["coordinates"], moved.state.parameters["coordinates"])


def test_a_run_of_another_size_is_refused() -> None:
    other = component("model", "mlp", hidden=[7], activation="tanh")
    source = fit([trained(model=other, budget=Length(1, "steps"))])[0]
    with pytest.raises(Problem, match="other sizes"):
        fit([trained(model=model(8), init=source.state)])


def test_a_subspace_of_a_subspace_is_refused() -> None:
    def within(shape: tuple[int, ...], outputs: int) -> object:
        return subspace(shape, outputs, small, dimension=6)

    with pytest.raises(Problem, match="one in a subspace already"):
        subspace((3,), 2, within, dimension=4)


@pytest.mark.parametrize("kind", KINDS)
def test_a_step_goes_along_the_projected_gradient(kind: str) -> None:
    """`w = -lr P^T dL/dtheta` at theta_0 after one step, with the matrix P and the gradient of the network itself, both
    written out in float64; to 1e-10."""
    inner = component("model", "mlp", hidden=[6], activation="tanh")
    space = component("model", "subspace", net=inner, dimension=7, projection=kind)
    data = blobs(shape=(3,), examples=12, classes=2)
    sgd = component("optimizer", "sgd", lr=0.5)
    one = member(data, model=space, seed=5, optimizer=sgd, batch=None, budget=Length(1, "steps"))
    (found,) = fit([one], dtype=torch.float64)
    network, split = mlp((3,), 2, hidden=[6], activation="tanh"), data.split("train")
    values = network.init([5]).to("cpu", torch.float64).parameters
    leaves = {name: value.clone().requires_grad_() for name, value in values.items()}
    outputs, _ = network.apply(leaves, {}, split.inputs[None].double(), training=False)
    torch.nn.functional.cross_entropy(outputs[0].T, split.targets).backward()
    gradient = torch.cat([leaf.grad.flatten() for leaf in leaves.values()]).numpy()
    parts = drawn(kind, 5, size=len(gradient), dimension=7)
    exact = matrix(kind, parts, size=len(gradient), dimension=7)
    expected = -0.5 * exact.T @ gradient
    np.testing.assert_allclose(found.state.parameters["coordinates"][0], expected, rtol=1e-10, atol=1e-12)
