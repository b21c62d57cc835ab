"""Spectra of kernels against the singular values of the Jacobian."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import entropy

from gendsl_runtime.analyses.kernels.kernel_spectrum import kernel_spectrum
from gendsl_runtime.analyses.kernels.tangent_kernel import tangent_kernel
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Runs


@pytest.mark.parametrize("kind", ["empirical", "ntk", "nngp"])
def test_summaries_of_the_eigenvalues(make_runs: Callable[..., Runs], kind: str) -> None:
    runs = make_runs(train=8, activation="erf")
    grams = np.asarray(tangent_kernel(runs, kind=kind)["kernel"])
    found = {name: np.asarray(value) for name, value in kernel_spectrum(runs, kind=kind).items()}
    for member, gram in enumerate(grams):
        values = np.linalg.svd(gram, compute_uv=False)
        np.testing.assert_allclose(found["eigenvalue"][member], values, rtol=1e-9, atol=1e-12 * values[0])
        assert found["condition"][member] == pytest.approx(values[0] / values[-1], rel=1e-6)
        assert found["effective_rank"][member] == pytest.approx(np.exp(entropy(values / values.sum())))
        assert found["participation_ratio"][member] == pytest.approx(values.sum() ** 2 / (values**2).sum())
        assert found["trace"][member] == pytest.approx(np.trace(gram))


def test_a_kernel_of_less_rank_has_no_condition(make_runs: Callable[..., Runs]) -> None:
    """A linear model of 3 inputs and an offset has tangent kernels of rank 4."""
    found = kernel_spectrum(make_runs(train=9, hidden=[]), count=4)
    assert np.isinf(np.asarray(found["condition"])).all()
    assert np.asarray(found["eigenvalue"]).shape == (3, 4)
    assert (np.asarray(found["effective_rank"]) <= 4 + 1e-9).all()


def test_every_pair_of_outputs(make_runs: Callable[..., Runs]) -> None:
    runs = make_runs(train=6)
    full = kernel_spectrum(runs, of="full")
    assert np.asarray(full["eigenvalue"]).shape == (3, 18)
    # The trace over pairs of outputs is C times that of the mean.
    np.testing.assert_allclose(full["trace"], 3 * np.asarray(kernel_spectrum(runs)["trace"]), rtol=1e-12)
    with pytest.raises(Problem, match="zero between two"):
        kernel_spectrum(runs, of="full", kind="ntk")
