"""Local entropies against Gaussian integrals in closed form and against quadrature."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.integrate import quad

from gendsl_runtime.analyses.sharpness.local_entropy import local_entropy
from gendsl_runtime.problem import Problem
from tests.components.analyses.dense_matrices import dense, dense_gradient
from tests.components.analyses.quadratics import quadratic

SCALES, WEIGHTS = [1.0, 2.0, 0.5, 1.5], [1.2, 0.7, 2.0, -1.0]


def closed_form(gamma: float, beta: float) -> float:
    """log E exp(-beta sum s^2 (d + u)^2) = sum -log(1 + 2 beta s^2 / gamma)/2 - beta s^2 d^2 / (1 + 2 beta s^2 /
    gamma)."""
    squares, away = np.square(SCALES), np.array(WEIGHTS) - 1
    widened = 1 + 2 * beta * squares / gamma
    return float((-np.log(widened) / 2 - beta * squares * away**2 / widened).sum())


@pytest.mark.parametrize(("gamma", "beta"), [(1.0, 1.0), (10.0, 1.0)])
@pytest.mark.parametrize("method", ["annealed", "quadratic"])
def test_a_quadratic_has_a_closed_form(gamma, beta, method):
    runs = quadratic(SCALES, weights=WEIGHTS, seeds=(0, 1, 2))
    given = local_entropy(
        runs, gamma=gamma, beta=beta, method=method, chains=400, probes=100, temperatures=40
    )
    expected = closed_form(gamma, beta)
    # Three independent estimates, each within four of its own standard errors.
    assert (abs(given["local_entropy"] - expected) <= 4 * given["error"] + 1e-9).all()
    assert (given["error"] < 0.15).all()
    assert (given["acceptance"] > 0.05).all()


def test_plain_importance_sampling_agrees_and_is_worse():
    runs = quadratic(SCALES, weights=WEIGHTS)
    plain, tempered = (
        local_entropy(runs, gamma=1.0, beta=4.0, chains=400, temperatures=count) for count in (1, 20)
    )
    assert abs(tempered["local_entropy"][0] - closed_form(1.0, 4.0)) < 4 * tempered["error"][0]
    assert tempered["effective_chains"][0] > 4 * plain["effective_chains"][0]


def test_the_error_of_one_weight_by_quadrature(make_runs):
    """A share of wrong examples is no quadratic: chance is right where the expansion is not even defined."""
    runs = quadratic([1.0], weights=[1.5])
    gamma, beta = 2.0, 3.0
    density = lambda u: np.exp(-gamma * u**2 / 2) * np.sqrt(gamma / (2 * np.pi))  # noqa: E731
    exact = np.log(quad(lambda u: density(u) * np.exp(-beta * (0.5 + u) ** 2), -20, 20)[0])
    given = local_entropy(runs, gamma=gamma, beta=beta, chains=500)
    assert abs(given["local_entropy"][0] - exact) < 4 * given["error"][0]
    with pytest.raises(Problem):
        local_entropy(make_runs(), of="error", method="quadratic")
    assert (local_entropy(make_runs(), of="error", beta=30.0)["local_entropy"] <= 0).all()


def test_the_expansion_of_a_network_against_dense_algebra(make_runs):
    runs = make_runs(seeds=(0, 1, 2), dtype=torch.float64)
    given = local_entropy(runs, gamma=100.0, beta=30.0, method="quadratic", probes=20, steps=38)
    for member in range(3):
        matrix = 30.0 * dense(runs, member) + 100.0 * np.eye(38)
        slope = dense_gradient(runs, member)
        assert np.linalg.eigvalsh(matrix)[0] > 0
        logdet = np.linalg.slogdet(matrix / 100.0)[1]
        loss = float(runs.mean_loss("train")[member])
        exact = -30 * loss + 450 * slope @ np.linalg.solve(matrix, slope) - logdet / 2
        assert abs(given["local_entropy"][member] - exact) < 5 * given["error"][member]


def test_far_from_a_minimum_the_expansion_has_no_integral(make_runs):
    given = local_entropy(make_runs(seeds=(0,), hidden=[20]), gamma=1e-6, method="quadratic")
    assert given["local_entropy"][0] == np.inf


def test_wide_valleys_have_more_room():
    narrow, wide = (local_entropy(quadratic([scale] * 4), gamma=1.0)["local_entropy"] for scale in (2.0, 0.5))
    assert wide[0] > narrow[0]


def test_a_tight_neighbourhood_is_the_loss_itself(make_runs):
    runs = make_runs(dtype=torch.float64)
    for method in ("annealed", "quadratic"):
        given = local_entropy(runs, gamma=1e8, beta=2.0, method=method)
        np.testing.assert_allclose(given["local_entropy"], -2 * given["centre"], atol=1e-3)


def test_a_regression_has_no_share_of_errors():
    with pytest.raises(Problem, match="regression"):
        local_entropy(quadratic(SCALES, weights=WEIGHTS), of="error", chains=2)
