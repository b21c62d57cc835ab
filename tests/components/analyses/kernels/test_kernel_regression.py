"""Kernel regression against scikit-learn."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import DotProduct
from sklearn.kernel_ridge import KernelRidge

from gendsl_runtime.analyses.kernels.kernel_regression import kernel_regression
from gendsl_runtime.measures.infinite import kernels
from gendsl_runtime.runs import Runs


@pytest.mark.parametrize("kind", ["ntk", "nngp"])
def test_is_kernel_ridge_regression(make_runs: Callable[..., Runs], kind: str) -> None:
    runs, ridge = make_runs((0, 1), train=25, activation="erf"), 1e-2
    found = kernel_regression(runs, kind=kind, ridge=ridge)
    for member in range(2):
        (x, y), (z, t) = (
            (part[0][member].double(), part[1][member].numpy()) for part in map(runs.split, ("train", "test"))
        )
        gram, across = (getattr(kernels(runs.network, left, x), kind).numpy() for left in (x, z))
        model = KernelRidge(alpha=ridge * np.diag(gram).mean(), kernel="precomputed")
        predicted = model.fit(gram, np.eye(3)[y] - 1 / 3).predict(across)
        assert float(found["accuracy"][member]) == pytest.approx((predicted.argmax(1) == t).mean())
        expected = ((predicted - (np.eye(3)[t] - 1 / 3)) ** 2).mean()
        assert float(found["mse"][member]) == pytest.approx(expected, rel=1e-9)
        assert float(found["train_mse"][member]) < 1


def test_the_process_of_a_linear_network(make_runs: Callable[..., Runs]) -> None:
    """Without hidden layers the NNGP is Bayesian linear regression: `x x' / n + 0.01`."""
    runs = make_runs((0,), train=25, hidden=[], parametrisation="ntk")
    found = kernel_regression(runs, kind="nngp", ridge=0.1)
    (x, y), (z, t) = (
        (part[0][0].double().numpy(), part[1][0].numpy()) for part in map(runs.split, ("train", "test"))
    )
    prior = DotProduct(sigma_0=np.sqrt(0.03), sigma_0_bounds="fixed") * (1 / 3)
    noise = 0.1 * np.diag(prior(x)).mean()
    process = GaussianProcessRegressor(prior, alpha=noise, optimizer=None).fit(x, np.eye(3)[y] - 1 / 3)
    expected = ((process.predict(z) - (np.eye(3)[t] - 1 / 3)) ** 2).mean()
    assert float(found["mse"][0]) == pytest.approx(expected, rel=1e-9)


def test_without_ridge_it_interpolates(make_runs: Callable[..., Runs]) -> None:
    found = kernel_regression(make_runs(train=12, activation="relu"), ridge=0.0)
    np.testing.assert_allclose(found["train_mse"], 0, atol=1e-12)
    np.testing.assert_allclose(found["train_accuracy"], 1)


def test_the_kernel_of_the_run_itself(make_runs: Callable[..., Runs]) -> None:
    found = kernel_regression(make_runs(), kind="empirical", ridge=1e-3, examples=10)
    assert ((found["accuracy"] >= 0) & (found["accuracy"] <= 1)).all()
    assert (found["condition"] < 1e5).all()
