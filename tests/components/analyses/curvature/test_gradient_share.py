"""The gradient's share in the top subspace against dense eigenvectors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from gendsl_runtime.analyses.curvature.gradient_share import gradient_share
from gendsl_runtime.problem import Problem
from tests.components.analyses.dense_matrices import dense, dense_gradient


@pytest.mark.parametrize("operator", ["hessian", "ggn", "fisher", "empirical_fisher"])
def test_dense_eigenvectors(make_runs, operator):
    runs = make_runs(seeds=(0, 1), train=540, dtype=torch.float64)
    given = gradient_share(runs, count=4, operator=operator, tolerance=1e-10)
    for member in range(2):
        vectors = np.linalg.eigh(dense(runs, member, operator=operator))[1][:, ::-1]
        slope = dense_gradient(runs, member)
        shares = np.cumsum((vectors[:, :4].T @ slope) ** 2) / (slope @ slope)
        np.testing.assert_allclose(given["by_rank"][member], shares, atol=1e-6)
        assert float(given["share"][member]) == float(given["by_rank"][member, -1])
        assert float(given["gradient_norm"][member]) == pytest.approx(np.linalg.norm(slope), rel=1e-12)
    assert given["converged"].tolist() == [1, 1]
    assert float(given["by_chance"][0]) == pytest.approx(4 / 38)


def test_all_eigenvectors_hold_the_whole_gradient(make_runs):
    given = gradient_share(make_runs(dtype=torch.float64), count=38, iterations=38)
    np.testing.assert_allclose(given["share"], 1.0, atol=1e-12)


def test_what_has_not_converged_says_so(make_runs):
    given = gradient_share(make_runs(hidden=[20]), count=5, iterations=5)
    assert given["converged"].tolist() == [0, 0, 0]


def test_no_gradient_has_no_share(make_runs):
    flat = replace(make_runs(seeds=(0,)), loss=lambda outputs, targets: outputs[:, 0] * 0.0)
    assert torch.isnan(gradient_share(flat, count=2)["share"]).all()


def test_too_many_are_refused(make_runs):
    with pytest.raises(Problem, match="38 parameters"):
        gradient_share(make_runs(), count=39)
