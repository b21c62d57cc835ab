"""The closed form of linearised training against gradient descent itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from gendsl_runtime.analyses.kernels.linearised_training import linearised_training
from gendsl_runtime.losses.mse import mse
from gendsl_runtime.network import State
from gendsl_runtime.runs import Runs


def trained(start: Runs, *, lr: float, steps: int) -> Runs:
    """Plain gradient descent on the mean squared error, in float64."""
    inputs, labels = start.split("train")
    values = {name: tensor.clone() for name, tensor in start.state.parameters.items()}
    for _ in range(steps):
        leaves = {name: tensor.requires_grad_() for name, tensor in values.items()}
        loss = mse(start.outputs(inputs, leaves), labels).mean(1).sum()
        slopes = torch.autograd.grad(loss, list(leaves.values()))
        values = {
            name: (leaf - lr * slope).detach()
            for (name, leaf), slope in zip(leaves.items(), slopes, strict=True)
        }
    return replace(start, state=State(values, {}), steps=(steps,) * start.members)


def test_a_linear_model_is_predicted_exactly(make_runs: Callable[..., Runs]) -> None:
    start = make_runs((0, 1), hidden=[], train=12, dtype=torch.float64)
    end = trained(start, lr=0.3, steps=40)
    found = linearised_training(end, other=start, lr=0.3)
    np.testing.assert_allclose(found["distance"], 0, atol=1e-9)
    np.testing.assert_allclose(found["agreement"], 1)
    expected = mse(end.outputs(end.split("train")[0]), end.split("train")[1]).mean(1)
    np.testing.assert_allclose(found["train_mse"], expected, rtol=1e-9)


def test_steps_are_counted_from_the_start_that_is_given(make_runs: Callable[..., Runs]) -> None:
    """From a checkpoint on only the steps after it are taken."""
    first = make_runs((0, 1), hidden=[], train=12, dtype=torch.float64)
    checkpoint = trained(first, lr=0.3, steps=15)
    end = replace(trained(checkpoint, lr=0.3, steps=10), steps=(25, 25))
    found = linearised_training(end, other=checkpoint, lr=0.3)
    np.testing.assert_allclose(found["distance"], 0, atol=1e-9)


def test_the_wider_the_closer(make_runs: Callable[..., Runs]) -> None:
    """Lee et al. (2019): the difference falls as one over the root of the width; 16 times as wide, a fourth."""
    distances = []
    for width in (32, 512):
        start = make_runs(
            (0, 1, 2), hidden=[width], activation="erf", parametrisation="ntk", train=12, dtype=torch.float64
        )
        end = trained(start, lr=0.5, steps=60)
        distances.append(float(linearised_training(end, other=start, lr=0.5)["distance"].mean()))
    assert distances[1] < distances[0] / 2 < 0.5


def test_training_to_the_end_interpolates(make_runs: Callable[..., Runs]) -> None:
    start = make_runs(hidden=[64], train=10)
    found = linearised_training(start, other=start)
    np.testing.assert_allclose(found["train_mse"], 0, atol=1e-10)
    assert found["distance"].isnan().all()  # nothing was trained
    still = linearised_training(start, other=start, lr=0.1)
    assert float(still["mse"][0]) == pytest.approx(
        float(mse(start.outputs(start.split("test")[0]), start.split("test")[1]).mean(1)[0]), rel=1e-5
    )
