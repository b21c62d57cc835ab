"""Smoothing of a linear classifier, for which everything is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import binomtest, norm

from gendsl_runtime.analyses.robustness.randomised_smoothing import randomised_smoothing
from gendsl_runtime.models.linear import linear

SIGMA = 0.4


@pytest.fixture
def smoothed(make_runs):
    runs = make_runs(network=linear((3,), 2), classes=2, test=300, seeds=(0, 5))
    return runs, randomised_smoothing(runs, sigma=SIGMA, radius=[0.0, 0.2], samples=500)


def test_a_linear_classifier_is_certified_below_its_margin(smoothed):
    """P(class) = Phi(d / sigma) for an example at distance d, and the true radius of g is d itself."""
    runs, found = smoothed
    above, expected = 0, []
    for member in range(2):
        weight = runs.state.parameters["output.weight"][member].double()
        lead = runs.outputs(runs.split("test")[0])[member].double()
        away = ((lead[0] - lead[1]) / (weight[0] - weight[1]).norm()).numpy()
        right = (away < 0) == (runs.split("test")[1][member] == 1).numpy()
        radius = found["certified_radius"][member]
        assert (radius[~right & (np.abs(away) > SIGMA)] == 0).all()
        above += int((radius > np.abs(away)).sum())
        expected.append((right, np.abs(away), radius))
    # Each certificate fails with probability 0.001 at most: of 600, four or more with probability below 0.004.
    assert above <= 3
    right, away, radius = (np.concatenate(parts) for parts in zip(*expected, strict=True))
    largest = SIGMA * norm.ppf(0.001 ** (1 / 500))
    far = right & (away > 3 * largest)
    np.testing.assert_allclose(radius[far], largest, rtol=1e-9)


def test_the_lower_limit_is_that_of_an_exact_test(smoothed):
    _, found = smoothed
    radius = found["certified_radius"]
    limits = {
        SIGMA * norm.ppf(binomtest(k, 500, alternative="greater").proportion_ci(0.999, "exact").low)
        for k in range(251, 501)
    }
    for value in np.unique(radius[radius > 0]):
        assert min(abs(value - limit) for limit in limits) < 1e-9
    np.testing.assert_allclose(found["accuracy"][:, 1], (radius >= 0.2).mean(1))
    np.testing.assert_allclose(found["mean_radius"], radius.mean(1))


def test_a_network_that_is_undecided_abstains(make_runs):
    runs = make_runs(network=linear((3,), 2), classes=2)
    runs.state.parameters["output.weight"].copy_(torch.tensor([[100.0, 0, 0], [-100.0, 0, 0]]))
    runs.state.parameters["output.bias"].zero_()
    inputs = runs.split("test")[0]
    inputs[:, :, 0] = 0.0  # on the boundary: half of the noise on either side
    found = randomised_smoothing(runs, samples=300)
    assert (found["abstained"] > 0.95).all()
