"""Integrated gradients against closed forms and a fine sum with slopes by torch.func."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gendsl_runtime.analyses.attribution.integrated_gradients import integrated_gradients
from gendsl_runtime.models.linear import linear


def test_a_linear_network_gets_weight_times_input(make_runs):
    runs = make_runs(network=linear((3,), 3), dtype=torch.float64)
    for baseline in ("zero", "mean"):
        found = integrated_gradients(runs, steps=1, baseline=baseline, examples=20)
        inputs, targets = runs.split("test")
        start = inputs.mean(1, keepdim=True) if baseline == "mean" else 0.0
        weight = runs.state.parameters["output.weight"]
        own = torch.stack([w[t] for w, t in zip(weight, targets, strict=True)])
        torch.testing.assert_close(found["attribution"][:, :, 0], own * (inputs - start))
        assert float(found["worst_error"].max()) < 1e-12


def test_one_point_is_exact_where_slopes_are_linear(make_runs):
    """`F = v (W x)^2` has slopes that grow in proportion along the path: IG_i = x_i (2 v (W x) W)_i / 2."""
    runs = make_runs(activation="quadratic", bias=False, dtype=torch.float64)
    found = integrated_gradients(runs, steps=1)
    inputs, targets = runs.split("test")
    weight, last = (runs.state.parameters[f"{name}.weight"] for name in ("hidden.0", "output"))
    hidden = inputs @ weight.mT
    own = torch.stack([v[t] for v, t in zip(last, targets, strict=True)])
    torch.testing.assert_close(found["attribution"][:, :, 0], inputs * ((own * hidden) @ weight))


@pytest.mark.parametrize("score", ["logit", "probability"])
def test_a_curved_network_against_a_fine_sum(make_runs, score):
    runs = make_runs(seeds=(4,), hidden=[6, 5], dtype=torch.float64, test=5, scale=2.0)
    found = integrated_gradients(runs, score=score, of="predicted")
    inputs = runs.split("test")[0][0]
    for example in range(5):
        label = int(runs.outputs(inputs[None])[0, :, example].argmax())

        def value(x: torch.Tensor, label: int = label) -> torch.Tensor:
            outputs = runs.outputs(x[None, None])[0, :, 0]
            return (outputs if score == "logit" else outputs.softmax(0))[label]

        middles = (torch.arange(4000, dtype=torch.float64) + 0.5) / 4000
        slopes = torch.func.vmap(torch.func.grad(value))(middles[:, None] * inputs[example])
        # The midpoint rule errs by h^2 / 24 times the largest second derivative along the path, here below 1e-6.
        expected = slopes.mean(0) * inputs[example]
        torch.testing.assert_close(found["attribution"][0, example, 0], expected, atol=1e-6, rtol=0)
    assert float(found["worst_error"][0]) < 1e-9


def test_more_steps_complete_better_across_kinks(make_runs):
    runs = make_runs(activation="relu", hidden=[20, 20], dtype=torch.float64, test=40, scale=3.0)
    errors = [
        float(integrated_gradients(runs, steps=steps)["completeness_error"].mean()) for steps in (4, 64, 512)
    ]
    assert errors[0] > 4 * errors[1] > 16 * errors[2]


def test_the_first_examples_are_the_same(make_runs):
    runs = make_runs(test=40)
    few, many = (integrated_gradients(runs, examples=count)["attribution"] for count in (7, 30))
    np.testing.assert_allclose(few, many[:, :7], atol=1e-7)
