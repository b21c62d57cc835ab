"""SVCCA against scipy's subspace angles."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.linalg import subspace_angles

from gendsl_runtime.analyses.representations.svcca import svcca
from gendsl_runtime.measures.alike import basis, correlations
from gendsl_runtime.measures.layers import hidden
from gendsl_runtime.runs import Runs


def leading(x: np.ndarray, share: float) -> np.ndarray:
    """Leading left singular vectors of centred `(examples, features)`."""
    u, s, _ = np.linalg.svd(x - x.mean(0), full_matrices=False)
    kept = np.searchsorted(np.cumsum(s**2) / (s**2).sum(), share * (1 - 1e-12)) + 1
    return u[:, :kept] * s[:kept]


@pytest.mark.parametrize("share", [0.9, 1.0])
def test_against_angles_between_subspaces(make_runs: Callable[..., Runs], share: float) -> None:
    runs = make_runs(hidden=[7, 6], test=40)
    found = np.asarray(svcca(runs, share=share)["svcca"])
    values = hidden(runs, runs.split("test")[0])
    for member in range(3):
        parts = [leading(value[member].double().numpy().T, share) for value in values.values()]
        for i, x in enumerate(parts):
            for j, y in enumerate(parts):
                expected = np.cos(subspace_angles(x, y)).mean()
                assert found[member, i, j] == pytest.approx(expected, abs=1e-6)


def test_invertible_maps_leave_correlations_alone() -> None:
    chance = torch.Generator().manual_seed(0)
    x = torch.randn(5, 60, generator=chance, dtype=torch.float64)
    through = torch.randn(5, 5, generator=chance, dtype=torch.float64)
    np.testing.assert_allclose(correlations(basis(x, 1.0), basis(through @ x + 3, 1.0))[0], 1, rtol=1e-9)
    # Cut to leading directions, a map may leave others.
    stretched = torch.diag(torch.tensor([1.0, 1, 1, 1, 100], dtype=torch.float64)) @ x
    assert len(basis(stretched, 0.9)) == 1


def test_as_many_features_as_examples_correlate_whatever_they_are() -> None:
    x, y = torch.randn(2, 30, 20, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    np.testing.assert_allclose(correlations(basis(x, 1.0), basis(y, 1.0))[0], 1, rtol=1e-9)


def test_a_constant_layer_has_none(make_runs: Callable[..., Runs]) -> None:
    runs = make_runs((0,), activation="relu", hidden=[5, 5])
    runs.state.parameters["hidden.0.bias"].fill_(-1e6)
    assert np.isnan(np.asarray(svcca(runs)["svcca"])).all()
