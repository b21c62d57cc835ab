"""Standardised inputs against scikit-learn's scaler."""

from __future__ import annotations

import numpy as np
from sklearn.preprocessing import StandardScaler

from gendsl_runtime.datasets.sklearn_digits import sklearn_digits
from gendsl_runtime.datasets.standardised import standardised
from gendsl_runtime.datasets.two_moons import two_moons


def test_each_coordinate_as_scikit_learn_does_it():
    digits = sklearn_digits()
    data = standardised(digits)
    scaler = StandardScaler().fit(digits.split("train").inputs.flatten(1).double().numpy())
    for name in ("train", "test"):
        expected = scaler.transform(digits.split(name).inputs.flatten(1).double().numpy())
        # Both compute in float64 and round once to float32.
        np.testing.assert_allclose(data.split(name).inputs.flatten(1), expected, rtol=2e-7, atol=1e-9)


def test_pixels_that_never_vary_are_only_centred():
    digits = sklearn_digits()
    constant = digits.split("train").inputs.std(0) == 0
    assert constant.any()
    assert (standardised(digits).split("train").inputs[:, constant] == 0).all()


def test_one_scale_for_a_channel_or_a_vector():
    for data in (sklearn_digits(), two_moons()):
        inputs = standardised(data, by="channel").split("train").inputs.double()
        # The mean of n numbers of size 1 rounded to float32.
        assert abs(float(inputs.mean())) < 2**-24
        assert abs(float(inputs.std(correction=0)) - 1) < 2**-23
        old = data.split("train").inputs.double()
        ratio = (inputs - inputs.mean()) / (old - old.mean())
        # Float32 values near their mean keep fewer digits: 2^-24 over a distance of 1e-3 and more.
        np.testing.assert_allclose(ratio, ratio.flatten()[0], rtol=1e-4)
