"""The worst environment, found by hand and by going through all pairs."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from gendsl_runtime.statistics.robust_sign_error import robust_sign_error


def by_hand(x: np.ndarray, y: np.ndarray) -> float:
    """Of one seed: every pair of labels of every axis, all settings of the others one by one."""
    worst = 0.0
    for axis, length in enumerate(x.shape):
        others = [range(size) for place, size in enumerate(x.shape) if place != axis]
        for a, b in itertools.combinations(range(length), 2):
            errors = []
            for rest in itertools.product(*others):
                one, two = (tuple(np.insert(rest, axis, label).astype(int)) for label in (a, b))
                if y[one] != y[two]:
                    errors.append((1 - np.sign(x[one] - x[two]) * np.sign(y[one] - y[two])) / 2)
            if errors:
                worst = max(worst, float(np.mean(errors)))
    return worst


def test_against_all_pairs_one_by_one() -> None:
    chance = np.random.default_rng(0)
    x, y = chance.standard_normal((2, 6, 3, 2, 4)).round(1)
    found = robust_sign_error(x.reshape(6, -1), y.reshape(6, -1), (3, 2, 4))
    np.testing.assert_allclose(found, [by_hand(a, b) for a, b in zip(x, y, strict=True)])


def test_a_measure_that_fails_along_one_axis_fails() -> None:
    width, depth = np.meshgrid(np.arange(5.0), np.arange(3.0), indexing="ij")
    gap = width - 0.1 * depth
    assert robust_sign_error(gap.ravel() ** 3, gap.ravel(), (5, 3)) == 0.0
    assert robust_sign_error(width.ravel(), gap.ravel(), (5, 3)) == 0.5
    assert robust_sign_error((width + depth).ravel(), gap.ravel(), (5, 3)) == 1.0


def test_ties_of_the_gap_and_missing_values_are_left_out() -> None:
    x, y = np.array([1.0, 2.0, np.nan]), np.array([1.0, 1.0, 5.0])
    assert np.isnan(robust_sign_error(x, y, (3,)))
    assert robust_sign_error(np.array([1.0, 1.0]), np.array([0.0, 1.0]), (2,)) == pytest.approx(0.5)
    assert np.isnan(robust_sign_error(np.empty(0), np.empty(0), (0,)))


def test_infinite_values_are_compared_like_others() -> None:
    x = np.array([np.inf, np.inf, 1.0])
    assert robust_sign_error(x[:2], np.array([0.0, 1.0]), (2,)) == 0.5
    assert robust_sign_error(x, np.array([2.0, 1.0, 0.0]), (3,)) == 0.5
