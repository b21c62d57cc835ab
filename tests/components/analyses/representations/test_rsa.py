"""RSA against scipy's distances and rank correlation."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.spatial.distance import pdist
from scipy.stats import pearsonr, spearmanr

from gendsl_runtime.analyses.representations.rsa import rsa
from gendsl_runtime.measures.layers import hidden
from gendsl_runtime.runs import Runs


@pytest.mark.parametrize("distance", ["correlation", "euclidean", "cosine"])
@pytest.mark.parametrize("by", ["spearman", "pearson"])
def test_against_scipy(make_runs: Callable[..., Runs], distance: str, by: str) -> None:
    runs = make_runs(hidden=[7, 6])
    found = np.asarray(rsa(runs, distance=distance, by=by)["rsa"])
    values = [value.double() for value in hidden(runs, runs.split("test")[0]).values()]
    correlation = {"spearman": spearmanr, "pearson": pearsonr}[by]
    for member in range(3):
        apart = [pdist(value[member].numpy().T, distance) for value in values]
        for i, x in enumerate(apart):
            for j, y in enumerate(apart):
                assert found[member, i, j] == pytest.approx(correlation(x, y)[0], abs=1e-9)


def test_an_example_without_direction_has_none(make_runs: Callable[..., Runs]) -> None:
    runs = make_runs((0,), activation="relu")
    runs.state.parameters["hidden.0.bias"].fill_(-1e6)
    assert np.isnan(np.asarray(rsa(runs)["rsa"])[0, 0]).all()
