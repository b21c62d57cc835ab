"""Expected rises against closed forms of quadratics."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from gendsl_runtime.analyses.sharpness.expected_sharpness import expected_sharpness
from gendsl_runtime.network import State
from gendsl_runtime.problem import Problem
from tests.components.analyses.quadratics import quadratic

SCALES, WEIGHTS = [1.0, 2.0, 0.5, 1.5], [1.2, 0.7, 2.0, -1.0]
TRACES = {
    "normal": sum(s**2 for s in SCALES),
    "magnitude": sum((s * w) ** 2 for s, w in zip(SCALES, WEIGHTS, strict=True)),
    "sphere": sum(s**2 for s in SCALES) / 4,
    # One filter of the network's own length, uniform on that sphere.
    "filter": sum(s**2 for s in SCALES) / 4 * sum(w**2 for w in WEIGHTS),
}


@pytest.mark.parametrize("noise", TRACES)
def test_the_rise_of_a_quadratic_is_the_trace(noise):
    """E L(w + s u) - L(w) = s^2 sum scale^2 E u^2, whatever the gradient."""
    runs = quadratic(SCALES, weights=WEIGHTS, seeds=(0, 1, 2))
    given = expected_sharpness(runs, sigma=0.3, noise=noise, samples=2000)
    # Three independent estimates, each within four of its own standard errors.
    assert (abs(given["sharpness"] - 0.09 * TRACES[noise]) < 4 * given["error"]).all()
    np.testing.assert_allclose(given["error"], given["spread"] / 2000**0.5)
    assert (given["highest"] > given["sharpness"]).all()
    centre = sum((s * (w - 1)) ** 2 for s, w in zip(SCALES, WEIGHTS, strict=True))
    np.testing.assert_allclose(given["centre"], centre, rtol=1e-12)


def test_magnitudes_follow_a_rescaling_and_normal_noise_does_not(make_runs):
    runs = make_runs(dtype=torch.float64, activation="relu")
    parameters = {name: value.clone() for name, value in runs.state.parameters.items()}
    parameters["hidden.0.weight"] *= 4
    parameters["hidden.0.bias"] *= 4
    parameters["output.weight"] /= 4
    other = replace(runs, state=State(parameters, {}))
    options = {"sigma": 0.1, "samples": 20}
    same = [expected_sharpness(one, noise="magnitude", **options)["sharpness"] for one in (runs, other)]
    np.testing.assert_allclose(same[1], same[0], rtol=1e-9)
    differ = [expected_sharpness(one, **options)["sharpness"] for one in (runs, other)]
    assert (abs(differ[1] / differ[0] - 1) > 0.1).all()


def test_errors_are_shares(make_runs):
    given = expected_sharpness(make_runs(), of="error", sigma=1.0, samples=50)
    assert ((given["centre"] * 30) % 1 < 1e-9).all()
    assert (given["highest"] <= 1 - given["centre"]).all()


def test_one_sample_is_refused(make_runs):
    with pytest.raises(Problem):
        expected_sharpness(make_runs(), samples=1)
