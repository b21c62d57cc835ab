"""The likelihood of Levina and Bickel, by its formula and on sets of known dimension."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist

from gendsl_runtime.analyses.representations.mle_dimension import _dimension, mle_dimension
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Runs


def test_is_the_formula_of_the_papers() -> None:
    x = np.random.default_rng(0).standard_normal((3, 80))
    apart = np.sort(cdist(x.T, x.T), axis=1)[:, 1:8]
    inverse = np.array([np.mean([np.log(row[6] / row[j]) for j in range(6)]) for row in apart])
    values = torch.from_numpy(x)
    assert _dimension(values, 7, "dimensions")[0] == pytest.approx((1 / inverse).mean(), rel=1e-9)
    found, error, used = _dimension(values, 7, "inverses")
    assert found == pytest.approx(1 / inverse.mean(), rel=1e-9)
    assert error == pytest.approx(inverse.std(ddof=1) / np.sqrt(80) / inverse.mean() ** 2)
    assert used == 80


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_a_torus_has_its_dimension(dimension: int) -> None:
    """The mean of dimensions is too large by (k - 1) / (k - 2), that of inverses is not; 5% for curvature."""
    stream = np.random.default_rng(1)
    angles = stream.uniform(0, 2 * np.pi, (dimension, 1500))
    x = torch.from_numpy(np.concatenate([np.cos(angles), np.sin(angles)]))
    for average, factor in (("dimensions", 11 / 10), ("inverses", 1.0)):
        found, error, _ = _dimension(x, 12, average)
        assert abs(found - factor * dimension) < 4 * np.sqrt(12) * error + 0.05 * dimension


def test_layers_of_a_run(make_runs: Callable[..., Runs]) -> None:
    found = mle_dimension(make_runs(hidden=[6]))
    assert np.asarray(found["mle_dimension"]).shape == (3, 3)
    with pytest.raises(Problem, match="2 neighbours"):
        mle_dimension(make_runs(), neighbours=2)
    dead = make_runs((0,), activation="relu")
    dead.state.parameters["hidden.0.bias"].fill_(-1e6)
    assert np.isnan(np.asarray(mle_dimension(dead)["mle_dimension"])[0, 1:]).all()
