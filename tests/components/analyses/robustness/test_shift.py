"""The gap between two splits, and scikit-learn's area under the curve."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from gendsl_runtime.analyses.prediction.accuracy import accuracy
from gendsl_runtime.analyses.robustness.shift import shift


def test_gap_and_area(make_runs):
    runs = make_runs(test=600, train=90)
    given = shift(runs, to="train")
    there, away = (accuracy(runs, on=split)["accuracy"] for split in ("test", "train"))
    np.testing.assert_allclose(given["gap"], there - away, atol=1e-15)
    for member in range(runs.members):
        scores = [
            runs.outputs(runs.split(split)[0])[member].double().softmax(0).amax(0).numpy()
            for split in ("test", "train")
        ]
        labels = np.repeat([1, 0], [600, 90])
        expected = roc_auc_score(labels, np.concatenate(scores))
        assert given["auroc"][member] == pytest.approx(expected, abs=1e-12)


def test_a_split_against_itself(make_runs):
    given = shift(make_runs(), to="test")
    assert (given["gap"] == 0).all()
    np.testing.assert_allclose(given["auroc"], 0.5)
