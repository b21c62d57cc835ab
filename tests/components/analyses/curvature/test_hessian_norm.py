"""Frobenius norms against the dense matrices."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gendsl_runtime.analyses.curvature.hessian_norm import hessian_norm
from tests.components.analyses.dense_matrices import dense


@pytest.mark.parametrize("operator", ["hessian", "ggn", "fisher", "empirical_fisher"])
def test_the_dense_matrix(make_runs, operator):
    runs = make_runs(seeds=tuple(range(5)), train=60, dtype=torch.float64)
    exact = hessian_norm(runs, operator=operator, method="exact")
    expected = [np.linalg.norm(dense(runs, member, operator=operator)) for member in range(5)]
    np.testing.assert_allclose(exact["norm"], expected, rtol=1e-10)
    given = hessian_norm(runs, operator=operator, probes=40)
    # 5 standard errors on 40 probes: one in a hundred thousand for normal samples.
    assert (abs(given["norm"] - exact["norm"]) <= 5 * given["error"]).all()
    assert exact["error"].tolist() == [0] * 5
