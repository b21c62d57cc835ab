"""Tumours against scikit-learn's own arrays and scaler."""

from __future__ import annotations

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import StandardScaler

from gendsl_runtime.datasets.breast_cancer import breast_cancer


def test_unscaled_rows_are_scikit_learns():
    inputs, labels = load_breast_cancer(return_X_y=True)
    known = {row.astype(np.float32).tobytes(): label for row, label in zip(inputs, labels)}
    data = breast_cancer(train=400, held_back=69, test=100, standardise=False)
    rows = [
        (row.tobytes(), int(label))
        for split in data.splits.values()
        for row, label in zip(split.inputs.numpy(), split.targets)
    ]
    assert len(set(rows)) == 569
    assert all(known[row] == label for row, label in rows)


def test_scaling_is_that_of_scikit_learns_scaler_fitted_to_the_training_set():
    raw, scaled = breast_cancer(standardise=False), breast_cancer()
    scaler = StandardScaler().fit(raw.split("train").inputs.double().numpy())
    for name in ("train", "test"):
        expected = scaler.transform(raw.split(name).inputs.double().numpy())
        # Both compute in float64 and round once to float32.
        np.testing.assert_allclose(scaled.split(name).inputs, expected, rtol=2e-7, atol=1e-9)
