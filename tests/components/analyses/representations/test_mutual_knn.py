"""Shared neighbours against scikit-learn."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from gendsl_runtime.analyses.representations.mutual_knn import mutual_knn
from gendsl_runtime.measures.layers import hidden
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Runs


def neighbours(x: np.ndarray, count: int) -> list[set[int]]:
    found = NearestNeighbors(n_neighbors=count, metric="cosine", algorithm="brute").fit(x)
    return [set(row) for row in found.kneighbors(return_distance=False)]


def test_against_sets_of_neighbours(make_runs: Callable[..., Runs]) -> None:
    runs = make_runs(hidden=[7, 6], test=40)
    found = np.asarray(mutual_knn(runs, neighbours=4)["mutual_knn"])
    values = [value.double() for value in hidden(runs, runs.split("test")[0]).values()]
    for member in range(3):
        near = [neighbours(value[member].numpy().T, 4) for value in values]
        for i, left in enumerate(near):
            for j, right in enumerate(near):
                expected = np.mean([len(a & b) for a, b in zip(left, right, strict=True)]) / 4
                assert found[member, i, j] == pytest.approx(expected)


def test_strangers_share_what_chance_gives(make_runs: Callable[..., Runs]) -> None:
    """Other inputs: the share is within four standard errors of k / (N - 1)."""
    import torch

    from gendsl_runtime.analyses.representations.mutual_knn import _near, _shared

    x, y = torch.randn(2, 5, 300, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    share, chance = float(_shared(_near(x, 10), _near(y, 10))) / 10, 10 / 299
    assert abs(share - chance) < 4 * np.sqrt(chance / (300 * 10))
    assert float(np.asarray(mutual_knn(make_runs())["chance"])[0]) == pytest.approx(10 / 19)


def test_too_many_neighbours(make_runs: Callable[..., Runs]) -> None:
    with pytest.raises(Problem, match="20 neighbours among 20"):
        mutual_knn(make_runs(), neighbours=20)
