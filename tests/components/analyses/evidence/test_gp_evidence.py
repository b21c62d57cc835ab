"""Gaussian processes against scikit-learn."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, Matern

from gendsl_runtime.analyses.evidence.gp_evidence import gp_evidence
from gendsl_runtime.datasets.curve import curve
from gendsl_runtime.losses.mse import mse
from gendsl_runtime.models.basis import basis
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Runs

FAMILIES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "legendre": lambda x: np.polynomial.legendre.legvander(x, 4),
    "powers": lambda x: np.vander(x, 5, increasing=True),
    "fourier": lambda x: np.stack(
        [np.ones_like(x), *(f(k * np.pi * x) for k in range(1, 5) for f in (np.cos, np.sin))], 1
    ),
}


def curves(network: object, seeds: tuple[int, ...] = (0, 1)) -> Runs:
    data = tuple(curve(train=12, test=30, seed=seed) for seed in seeds)
    return Runs(network, network.init(seeds), data, seeds, mse)


def points(runs: Runs, member: int, split: str = "train") -> tuple[np.ndarray, np.ndarray]:
    found = runs.data[member].split(split)
    return found.inputs[:, 0].double().numpy(), found.targets[:, 0].double().numpy()


@pytest.mark.parametrize("kernel", ["rbf", "matern12", "matern32", "matern52"])
def test_gaussian_processes_against_scikit_learn(kernel: str) -> None:
    """Evidence and prediction, to 1e-8."""
    runs = curves(basis((1,), 1))
    found = gp_evidence(runs, kernel=kernel, lengthscale=0.4, variance=1.7, noise=0.25)
    x, y = points(runs, 1)
    new, aims = points(runs, 1, "test")
    shape = RBF(0.4) if kernel == "rbf" else Matern(0.4, nu=int(kernel[-2]) / 2)
    peer = GaussianProcessRegressor(ConstantKernel(1.7) * shape, alpha=0.0625, optimizer=None).fit(
        x[:, None], y
    )
    assert found["log_evidence"][1] == pytest.approx(peer.log_marginal_likelihood(), rel=1e-8)
    means, deviations = peer.predict(new[:, None], return_std=True)
    variances = deviations**2 + 0.0625
    expected = (-0.5 * ((aims - means) ** 2 / variances + np.log(2 * np.pi * variances))).mean()
    assert found["test_log_likelihood"][1] == pytest.approx(expected, rel=1e-8)
    assert found["test_loss"][1] == pytest.approx(((aims - means) ** 2).mean(), rel=1e-8)


def test_a_singular_covariance_is_told() -> None:
    with pytest.raises(Problem, match="singular to rounding"):
        gp_evidence(curves(basis((1,), 1)), lengthscale=100.0, noise=1e-9)
