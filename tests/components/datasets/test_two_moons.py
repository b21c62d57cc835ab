"""The moons against their circles and against scikit-learn."""

from __future__ import annotations

import numpy as np
from scipy import stats
from sklearn.datasets import make_moons
from sklearn.neighbors import NearestNeighbors

from gendsl_runtime.datasets.two_moons import two_moons


def test_without_noise_points_lie_on_the_half_circle_of_their_class():
    split = two_moons(train=400, noise=0.0).split("train")
    points, labels = split.inputs.double().numpy(), split.targets.numpy()
    upper, lower = points[labels == 0], points[labels == 1]
    # Two float32 coordinates below 2, each rounded by at most 2^-24.
    np.testing.assert_allclose(np.linalg.norm(upper, axis=1), 1, atol=2**-23)
    np.testing.assert_allclose(np.linalg.norm(lower - [1, 0.5], axis=1), 1, atol=2**-23)
    assert (upper[:, 1] >= -1e-6).all()
    assert (lower[:, 1] <= 0.5 + 1e-6).all()
    assert len(upper) == len(lower) == 200


def test_the_curves_are_those_of_scikit_learn():
    split = two_moons(train=100, noise=0.0).split("train")
    known, labels = make_moons(20_001, noise=None, shuffle=False)
    for label in (0, 1):
        near = NearestNeighbors(n_neighbors=1).fit(known[labels == label])
        distance, _ = near.kneighbors(split.inputs[split.targets == label].double().numpy())
        # Neighbouring points of scikit-learn's 10,000 on an arc of length pi are pi / 10,000 apart.
        assert distance.max() < np.pi / 10_000


def test_angles_are_uniform_and_the_noise_is_normal():
    quiet, noisy = (two_moons(train=4000, noise=noise).split("train") for noise in (0.0, 0.2))
    upper = quiet.inputs[quiet.targets == 0].double().numpy()
    assert stats.kstest(np.arctan2(upper[:, 1], upper[:, 0]) / np.pi, "uniform").pvalue > 1e-4
    error = (noisy.inputs - quiet.inputs).double().numpy().ravel() / 0.2
    assert stats.kstest(error, "norm").pvalue > 1e-4
