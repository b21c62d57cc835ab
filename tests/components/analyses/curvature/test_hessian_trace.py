"""Traces against the dense matrices."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gendsl_runtime.analyses.curvature.hessian_trace import hessian_trace
from gendsl_runtime.measures.probes import hutch_pp, images, mean
from gendsl_runtime.problem import Problem
from tests.components.analyses.dense_matrices import dense

OPERATORS = ["hessian", "ggn", "fisher", "empirical_fisher"]


@pytest.mark.parametrize("operator", OPERATORS)
def test_the_exact_trace_is_that_of_the_dense_matrix(make_runs, operator):
    runs = make_runs(seeds=(0, 1), train=540, dtype=torch.float64)
    given = hessian_trace(runs, operator=operator, method="exact")
    for member in range(2):
        expected = np.trace(dense(runs, member, operator=operator))
        np.testing.assert_allclose(given["trace"][member], expected, rtol=1e-10)
        np.testing.assert_allclose(given["mean_eigenvalue"][member], expected / 38, rtol=1e-10)
    assert given["error"].tolist() == [0, 0]


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("method", ["hutchinson", "hutch_pp"])
def test_estimates_lie_within_their_errors(make_runs, operator, method):
    runs = make_runs(seeds=tuple(range(6)), dtype=torch.float64, is_shared=True)
    given = hessian_trace(runs, operator=operator, method=method, probes=24)
    exact = hessian_trace(runs, operator=operator, method="exact")["trace"]
    # Six independent estimates; 5 standard errors on few probes is beyond 99.9 per cent of Student's t with 7.
    assert (abs(given["trace"] - exact) <= 5.5 * given["error"] + 1e-12).all()
    assert (given["error"] > 0).all()


def symmetric(eigenvalues: np.ndarray, seed: int) -> torch.Tensor:
    basis = np.linalg.qr(np.random.default_rng(seed).standard_normal((len(eigenvalues),) * 2))[0]
    return torch.from_numpy(basis * eigenvalues @ basis.T)


def test_hutchinson_has_the_variance_of_the_theory():
    """2 (|A|_F^2 - sum A_ii^2) a probe, on 4000 probes: a variance is right to sqrt(2 / 4000) of itself for
    normal samples, and to a few times that here."""
    matrix = symmetric(np.linspace(-1, 3, 30), 0)
    cpu = torch.device("cpu")
    seen = images(lambda v: v @ matrix, "test", (0,), 30, 4000, cpu)
    samples = torch.stack([(v * image).sum(1) for v, image in seen], dim=1)
    expected = 2 * float(matrix.square().sum() - matrix.diagonal().square().sum())
    assert float(samples.var()) == pytest.approx(expected, rel=0.1)
    estimate = mean(samples)
    assert abs(float(estimate.value) - float(matrix.trace())) < 4 * float(estimate.error)


def test_hutch_pp_is_exact_on_matrices_of_low_rank():
    matrix = symmetric(np.concatenate([[5.0, -3.0, 1.0], np.zeros(37)]), 1)
    given = hutch_pp(lambda v: v @ matrix, "test", (0, 1), 40, 12, torch.device("cpu"))
    np.testing.assert_allclose(given.value, 3.0, atol=1e-12)
    assert float(given.error.max()) < 1e-12


def test_single_precision_agrees_with_double(make_runs):
    single = hessian_trace(make_runs(train=600))
    double = hessian_trace(make_runs(train=600, dtype=torch.float64))
    np.testing.assert_allclose(single["trace"], double["trace"], rtol=1e-4)


def test_one_probe_is_refused(make_runs):
    with pytest.raises(Problem, match="standard error"):
        hessian_trace(make_runs(), probes=1)


@pytest.mark.parametrize("products", [2, 3, 4, 7])
def test_few_products_are_spent_as_asked(products):
    """Below four there is no room for a sketch beside two probes: all are Hutchinson's."""
    matrix, spent = torch.diag(torch.arange(6.0).double()), []

    def product(v):
        spent.append(1)
        return v @ matrix

    given = hutch_pp(product, "test", (0,), 6, products, torch.device("cpu"))
    assert len(spent) == products
    # Signs see the diagonal exactly where nothing stands beside it; a projection does not.
    assert products > 3 or float(given.value[0]) == pytest.approx(15)
    assert float(given.value[0] - 15) <= 5.5 * float(given.error[0]) + 1e-9
