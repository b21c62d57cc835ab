"""PWCCA against canonical correlations through covariances."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.linalg import eigh

from gendsl_runtime.analyses.representations.pwcca import pwcca
from gendsl_runtime.measures.layers import hidden
from gendsl_runtime.runs import Runs


def by_covariances(x: np.ndarray, y: np.ndarray) -> float:
    """Morcos et al.: generalised eigenvectors of `S_xy S_yy^-1 S_yx a = rho^2 S_xx a`."""
    x, y = x - x.mean(0), y - y.mean(0)
    across = x.T @ y
    values, vectors = eigh(across @ np.linalg.solve(y.T @ y, across.T), x.T @ x)
    order = np.argsort(values)[::-1][: min(x.shape[1], y.shape[1])]
    weights = np.abs((x @ vectors[:, order]).T @ x).sum(1)
    return float((weights * np.sqrt(np.clip(values[order], 0, 1))).sum() / weights.sum())


def test_against_covariances(make_runs: Callable[..., Runs]) -> None:
    """Only layers of full rank, whose covariances can be inverted."""
    runs = make_runs(hidden=[3, 3], test=50)
    found = np.asarray(pwcca(runs)["pwcca"])
    values = [value.double() for value in hidden(runs, runs.split("test")[0]).values()]
    for member in range(3):
        for i, j in ((0, 1), (1, 0), (1, 2), (2, 0)):
            expected = by_covariances(values[i][member].numpy().T, values[j][member].numpy().T)
            assert found[member, i, j] == pytest.approx(expected, rel=1e-6)


def test_of_a_layer_with_itself_is_one(make_runs: Callable[..., Runs]) -> None:
    found = np.asarray(pwcca(make_runs(hidden=[4, 6]))["pwcca"])
    np.testing.assert_allclose(np.diagonal(found, axis1=1, axis2=2), 1, rtol=1e-9)


def test_is_not_symmetric(make_runs: Callable[..., Runs]) -> None:
    found = np.asarray(pwcca(make_runs(hidden=[6, 4], test=60))["pwcca"])
    assert np.abs(found[:, 0, 1] - found[:, 1, 0]).max() > 1e-3
