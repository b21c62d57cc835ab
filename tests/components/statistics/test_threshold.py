"""Where curves cross a level: by hand and against a scan of a fine grid."""

from __future__ import annotations

import numpy as np
import pytest

from gendsl_runtime.measures.steps import steps
from gendsl_runtime.statistics.threshold import crossed, threshold

X = np.array([0.0, 1, 2, 3, 4])
WAVE = np.array([0.0, 2, 0, 2, 2])


@pytest.mark.parametrize(
    ("direction", "which", "expected"),
    [
        ("either", "first", 0.5),
        ("either", "last", 2.5),
        ("up", "first", 0.5),
        ("up", "last", 2.5),
        ("down", "first", 1.5),
        ("down", "last", 1.5),
    ],
)
def test_crossings_are_interpolated(direction, which, expected):
    assert threshold(WAVE, X, level=1.0, direction=direction, which=which) == expected


def test_a_curve_that_never_crosses_crosses_beyond_what_was_measured():
    for values in (X, -X, X + 9):
        assert threshold(values, X, level=7.0) == np.inf
        assert threshold(values, X, level=7.0, which="last") == np.inf
    assert np.isnan(threshold(np.full(5, np.nan), X, level=7.0))


def test_reaching_the_level_counts_and_so_does_beginning_on_it():
    assert threshold(X, X, level=4.0) == 4.0
    assert threshold(X, X, level=0.0) == 0.0
    assert threshold(np.array([2.0, 1, 2, 2, 2]), X, level=1.0) == 1.0


def test_missing_points_are_bridged():
    assert threshold(np.array([np.nan, 0, np.nan, 4, 5]), X, level=1.0) == 1.5


def test_against_a_scan():
    rng = np.random.default_rng(2)
    x = np.sort(rng.uniform(0, 10, size=12))
    fine = np.linspace(x[0], x[-1], 200_001)
    for values in rng.normal(size=(20, 12)):
        is_above = np.interp(fine, x, values) >= 0.3
        changes = fine[1:][is_above[1:] != is_above[:-1]]
        expected = [changes[0], changes[-1]] if len(changes) else [np.inf, np.inf]
        found = [threshold(values, x, level=0.3, which=which) for which in ("first", "last")]
        np.testing.assert_allclose(found, expected, atol=fine[1] - fine[0])
        count = np.isfinite(crossed(steps(values, x), level=0.3)).sum()
        assert count == len(changes)
