"""Procrustes distance against scipy's rotation."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.linalg import orthogonal_procrustes

from gendsl_runtime.analyses.representations.procrustes import _distance, _normed, procrustes
from gendsl_runtime.measures.layers import hidden
from gendsl_runtime.runs import Runs


def by_rotation(x: np.ndarray, y: np.ndarray) -> float:
    """What is left of `(examples, features)` after the best rotation, padded to one width."""
    x, y = (z - z.mean(0) for z in (x, y))
    width = max(x.shape[1], y.shape[1])
    x, y = (np.pad(z / np.linalg.norm(z), ((0, 0), (0, width - z.shape[1]))) for z in (x, y))
    turn, _ = orthogonal_procrustes(y, x)
    return float(np.linalg.norm(x - y @ turn) ** 2)


def test_against_the_best_rotation(make_runs: Callable[..., Runs]) -> None:
    runs = make_runs(hidden=[7, 30])
    found = np.asarray(procrustes(runs)["procrustes"])
    values = [value.double() for value in hidden(runs, runs.split("test")[0]).values()]
    for member in range(3):
        for i, x in enumerate(values):
            for j, y in enumerate(values):
                expected = by_rotation(x[member].numpy().T, y[member].numpy().T)
                assert found[member, i, j] == pytest.approx(expected, abs=1e-9)


def test_rotations_factors_and_offsets_are_free_and_maps_are_not() -> None:
    chance = torch.Generator().manual_seed(0)
    x = torch.randn(5, 30, generator=chance, dtype=torch.float64)
    turn = torch.linalg.qr(torch.randn(5, 5, generator=chance, dtype=torch.float64))[0]
    assert float(_distance(_normed(x), _normed(4 * turn @ x - 7))) == pytest.approx(0, abs=1e-12)
    stretched = torch.diag(torch.logspace(0, 2, 5, dtype=torch.float64)) @ x
    assert float(_distance(_normed(x), _normed(stretched))) > 0.1
