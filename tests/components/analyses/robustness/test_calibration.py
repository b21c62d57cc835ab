"""Calibration against scikit-learn, closed forms and constructed outputs."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import log_loss

from gendsl_runtime.analyses.prediction.accuracy import accuracy
from gendsl_runtime.analyses.robustness.calibration import calibration
from gendsl_runtime.measures.calibrated import bins


def probabilities(runs, member: int) -> np.ndarray:
    outputs = runs.outputs(runs.split("test")[0])[member].double().numpy().T
    exponentials = np.exp(outputs - outputs.max(1, keepdims=True))
    return exponentials / exponentials.sum(1, keepdims=True)


def test_scores_against_sklearn(make_runs):
    runs = make_runs(test=600, classes=4)
    given = calibration(runs)
    for member in range(runs.members):
        p, y = probabilities(runs, member), runs.split("test")[1][member].numpy()
        assert given["nll"][member] == pytest.approx(log_loss(y, p, labels=range(4)), abs=1e-12)
        brier = np.square(p - np.eye(4)[y]).sum(1).mean()
        assert given["brier"][member] == pytest.approx(brier, abs=1e-12)
        right = float(accuracy(runs, on="test")["accuracy"][member])
        assert given["overconfidence"][member] == pytest.approx(p.max(1).mean() - right, abs=1e-12)


@pytest.mark.parametrize(("by", "strategy"), [("width", "uniform"), ("mass", "quantile")])
def test_bins_against_sklearn(by, strategy):
    chance = np.random.default_rng(0)
    confidence = chance.uniform(0.2, 1, 1000)
    is_right = chance.random(1000) < confidence
    found = bins(confidence, is_right, count=10, by=by)
    accuracy_, mean = calibration_curve(is_right, confidence, n_bins=10, strategy=strategy)
    there = found.share > 0
    np.testing.assert_allclose(found.accuracy[there], accuracy_, atol=1e-12)
    np.testing.assert_allclose(found.confidence[there], mean, atol=1e-12)
    assert found.share.sum() == pytest.approx(1)


def test_two_bins_by_hand():
    confidence = np.array([0.5, 0.6, 0.9, 1.0, 1.0])
    found = bins(confidence, np.array([True, False, True, True, False]), count=2, by="width")
    np.testing.assert_allclose(found.share, [0.2, 0.8])  # 0.5 belongs to the lower bin
    np.testing.assert_allclose(found.gaps, [0.5, 0.875 - 0.5])


def test_a_calibrated_source_has_the_gap_that_chance_gives():
    chance = np.random.default_rng(1)
    confidence = np.full(2000, 0.8)
    gaps = [bins(confidence, chance.random(2000) < 0.8, count=15, by="width").gaps.max() for _ in range(400)]
    expected = np.sqrt(2 * 0.8 * 0.2 / (np.pi * 2000))
    assert np.mean(gaps) == pytest.approx(expected, abs=4 * np.std(gaps) / 20)
