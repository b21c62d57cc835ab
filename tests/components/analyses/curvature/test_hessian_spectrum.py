"""Densities of eigenvalues against all eigenvalues of the dense matrix."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gendsl_runtime.analyses.curvature.hessian_spectrum import hessian_spectrum
from gendsl_runtime.measures.quadrature import rules
from tests.components.analyses.dense_matrices import dense


@pytest.mark.parametrize("operator", ["hessian", "ggn", "fisher", "empirical_fisher"])
def test_the_smoothed_dense_spectrum(make_runs, operator):
    """With as many steps as parameters quadrature is exact, and what is left is the chance of the probes."""
    runs = make_runs(seeds=(0, 1), dtype=torch.float64)
    given = hessian_spectrum(runs, operator=operator, steps=40, probes=30, width=0.05, points=64)
    for member in range(2):
        spectrum = np.linalg.eigvalsh(dense(runs, member, operator=operator))
        places = given["eigenvalue"][member]
        deviation = 0.05 * (spectrum.max() - spectrum.min())
        distance = (places[:, None] - spectrum) / deviation
        exact = np.exp(-0.5 * distance**2).mean(1) / (deviation * np.sqrt(2 * np.pi))
        # 64 points, 30 probes: 5 standard errors and rounding.
        assert (abs(given["density"][member] - exact) <= 5 * given["error"][member] + 1e-9).all()
        step = places[1] - places[0]
        # 4 standard deviations of the smoothing lie inside the grid on either side.
        assert given["density"][member].sum() * step == pytest.approx(1, abs=1e-3)
        share = (spectrum < -1e-6 * abs(spectrum).max()).mean()
        assert (
            abs(given["negative_share"][member] - share) <= 5 * given["negative_share_error"][member] + 1e-12
        )


def test_a_grid_that_is_given_is_shared(make_runs):
    given = hessian_spectrum(make_runs(), low=-1.0, high=2.0, points=5, steps=10)
    np.testing.assert_allclose(given["eigenvalue"], np.tile(np.linspace(-1, 2, 5), (3, 1)))


def test_rules_are_exact_for_polynomials_below_twice_their_nodes():
    stream = np.random.default_rng(0)
    basis = np.linalg.qr(stream.standard_normal((50, 50)))[0]
    matrix = torch.from_numpy(basis * np.linspace(-1, 1, 50) @ basis.T)
    start = torch.from_numpy(stream.standard_normal((1, 50)))
    (rule,) = rules(lambda v: v @ matrix, start, steps=6, rounding=1e-12)
    vector, power = start[0], start[0]
    for degree in range(1, 12):
        power = matrix @ power
        expected = float(vector @ power / (vector @ vector))
        assert rule.mean(lambda t, d=degree: t**d) == pytest.approx(expected, abs=1e-13)
    assert abs(rule.mean(lambda t: t**12) - float(vector @ matrix @ power / (vector @ vector))) > 1e-9


@pytest.mark.parametrize(
    "matrix", [torch.zeros(4, 4), torch.eye(4), torch.diag(torch.tensor([1.0, 1, 2, 2]))]
)
def test_few_different_eigenvalues_end_the_iteration_early(matrix):
    start = torch.tensor([[1.0, -1, 1, 1]]).double()
    (rule,) = rules(lambda v: v @ matrix.double(), start, steps=4, rounding=1e-12)
    assert len(rule.nodes) == len(torch.unique(matrix.diagonal()))
    np.testing.assert_allclose(rule.nodes, np.unique(matrix.diagonal()), atol=1e-15)
    assert rule.norm == pytest.approx(4)


def test_nothing_is_a_start_too():
    (rule,) = rules(lambda v: v, torch.zeros(1, 3).double(), steps=2, rounding=1e-12)
    assert rule.norm == 0
