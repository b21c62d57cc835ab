"""Effective dimension against all eigenvalues and against ridge regression."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gendsl_runtime.analyses.curvature.effective_dimension import effective_dimension
from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.losses.mse import mse
from gendsl_runtime.models.linear import linear
from gendsl_runtime.runs import Runs
from tests.components.analyses.dense_matrices import dense


@pytest.mark.parametrize("operator", ["hessian", "ggn", "fisher", "empirical_fisher"])
@pytest.mark.parametrize("scale", ["sum", "mean"])
def test_the_dense_spectrum(make_runs, operator, scale):
    runs = make_runs(seeds=tuple(range(4)), dtype=torch.float64)
    options = {"operator": operator, "scale": scale, "regularisation": 0.3}
    exact = effective_dimension(runs, method="exact", **options)["effective_dimension"]
    for member in range(4):
        values = np.maximum(np.linalg.eigvalsh(dense(runs, member, operator=operator)), 0)
        values = values * (30 if scale == "sum" else 1)
        assert exact[member] == pytest.approx((values / (values + 0.3)).sum(), rel=1e-9)
    given = effective_dimension(runs, probes=15, steps=38, **options)
    assert (abs(given["effective_dimension"] - exact) <= 5 * given["error"]).all()


def test_the_degrees_of_freedom_of_ridge_regression():
    """tr X (X^T X + z/2)^-1 X^T: the squared loss has curvature 2 X^T X."""
    inputs = torch.from_numpy(np.random.default_rng(0).standard_normal((20, 6)))
    data = Dataset({"train": Split(inputs, inputs[:, :1])}, "regression", (6,), 1)
    network = linear((6,), 1, bias=False)
    runs = Runs(network, network.init((0,)).to("cpu", torch.float64), (data,), (0,), mse)
    given = effective_dimension(runs, regularisation=4.0, method="exact")["effective_dimension"]
    gram = (inputs.T @ inputs).numpy()
    assert given[0] == pytest.approx(np.trace(gram @ np.linalg.inv(gram + 2.0 * np.eye(6))), rel=1e-10)
