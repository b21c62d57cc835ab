"""Random features: the kernel they approximate, and the least-norm solution they are trained to."""

from __future__ import annotations

import torch

from gendsl_runtime.length import Length
from gendsl_runtime.models.random_features import random_features
from gendsl_runtime.train.loop import fit
from tests.runtime.members import blobs, component, member


def features(network, state, inputs):
    """phi(x), read off a readout that is the identity."""
    width = state.buffers["features.weight"].shape[1]
    readout = torch.eye(width)[None]
    return network.apply({"output.weight": readout}, state.buffers, inputs, training=False)[0][0]


def test_cosine_features_approximate_the_gaussian_kernel() -> None:
    """Each of the D products has variance below 1, so their mean has a standard error below sqrt(4 / D)."""
    count, bandwidth = 20_000, 1.5
    small = random_features((3,), 1, features=count, activation="cos", bandwidth=bandwidth).init([1])
    inputs = torch.randn(1, 6, 3)
    weight, bias = (small.buffers[f"features.{part}"][0] for part in ("weight", "bias"))
    values = (2 / count) ** 0.5 * torch.cos(weight @ inputs[0].T + bias[:, None])
    kernel = torch.exp(-torch.cdist(inputs[0], inputs[0]).square() / (2 * bandwidth**2 * 3))
    assert (values.T @ values - kernel).abs().max() < 5 * (4 / count) ** 0.5


def test_the_network_is_linear_in_these_features() -> None:
    network = random_features((3,), 7, features=7)
    state = network.init([2])
    inputs = torch.randn(1, 5, 3)
    found = features(network, state, inputs)
    expected = (2 / 7) ** 0.5 * torch.relu(state.buffers["features.weight"][0] @ inputs[0].T)
    torch.testing.assert_close(found, expected)


def test_only_the_readout_is_trained_and_towards_the_least_norm() -> None:
    """More features than examples: gradient descent from zero tends to the pseudo-inverse solution."""
    data = blobs(shape=(4,), examples=6, classes=2, task="regression")
    one = member(
        data,
        model=component("model", "random_features", features=40),
        optimizer=component("optimizer", "gd", lr=1.5, momentum=0.95),
        batch=None,
        budget=Length(6000, "steps"),
        seed=5,
    )
    fitted = fit([one], dtype=torch.float64)[0]
    network = random_features((4,), 40, features=40)
    start = network.init([5])
    for name, value in start.buffers.items():
        torch.testing.assert_close(fitted.state.buffers[name], value.double(), rtol=0, atol=0)
    inputs = data.splits["train"].inputs.double()[None]
    weight = start.buffers["features.weight"][0].double()
    phi = (2 / 40) ** 0.5 * torch.relu(weight @ inputs[0].T)
    expected = data.splits["train"].targets.double().T @ torch.linalg.pinv(phi)
    torch.testing.assert_close(fitted.state.parameters["output.weight"][0], expected, rtol=1e-5, atol=1e-6)
