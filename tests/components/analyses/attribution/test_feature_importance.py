"""Importance against scikit-learn's idea of it, and where it must be nothing."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.inspection import permutation_importance

from gendsl_runtime.analyses.attribution.feature_importance import feature_importance


class Voter:
    """One member as scikit-learn sees a classifier."""

    def __init__(self, runs) -> None:
        self.runs = runs

    def fit(self, x, y):
        return self

    def score(self, x, y) -> float:
        inputs = torch.from_numpy(np.ascontiguousarray(x))[None]
        return float((self.runs.outputs(inputs)[0].argmax(0).numpy() == y).mean())


def test_permutation_against_sklearn(make_runs):
    runs = make_runs(seeds=(0, 1), test=200, features=4, dtype=torch.float64, scale=3.0)
    found = feature_importance(runs, repeats=60)
    for member in range(2):
        inputs, targets = (part[member].numpy() for part in runs.split("test"))
        voter = Voter(runs.select([member]))
        peer = permutation_importance(voter, inputs, targets, n_repeats=60, random_state=0)
        error = np.hypot(found["standard_error"][member, 0].numpy(), peer.importances_std / np.sqrt(60))
        difference = np.abs(found["importance"][member, 0].numpy() - peer.importances_mean)
        assert (difference < 4 * error + 1e-12).all()


@pytest.mark.parametrize("by", ["permutation", "mean"])
def test_a_number_that_is_not_used_has_no_importance(make_runs, by):
    runs = make_runs(test=90)
    runs.state.parameters["hidden.0.weight"][:, :, 1] = 0
    found = feature_importance(runs, by=by)
    assert (found["importance"][:, 0, 1] == 0).all()
    assert (found["importance"][:, 0, 0] != 0).any()


def test_the_mean_by_hand(make_runs):
    runs = make_runs(test=90, seeds=(2,), dtype=torch.float64)
    found = feature_importance(runs, by="mean")
    inputs, targets = (part.clone() for part in runs.split("test"))
    before = float((runs.outputs(inputs).argmax(1) == targets).double().mean())
    inputs[:, :, 2] = inputs[:, :, 2].mean()
    after = float((runs.outputs(inputs).argmax(1) == targets).double().mean())
    assert float(found["importance"][0, 0, 2]) == pytest.approx(before - after)
    assert (found["standard_error"] == 0).all()
