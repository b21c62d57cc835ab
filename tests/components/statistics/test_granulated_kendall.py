"""Granulated Kendall's coefficient against loops that follow the paper's formula word by word."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from gendsl_runtime.statistics.granulated_kendall import granulated_kendall


def brute(x, y):
    """Psi of arrays over the grid of settings."""
    psis = []
    for axis, size in enumerate(x.shape):
        others = [range(n) for k, n in enumerate(x.shape) if k != axis]
        taus = []
        for fixed in itertools.product(*others):
            line = [(*fixed[:axis], j, *fixed[axis:]) for j in range(size)]
            signs = [np.sign(x[a] - x[b]) * np.sign(y[a] - y[b]) for a in line for b in line if a != b]
            taus.append(sum(signs) / (size * (size - 1)))
        psis.append(sum(taus) / len(taus))
    return sum(psis) / len(psis)


@pytest.mark.parametrize("shape", [(5,), (3, 4), (2, 3, 4)])
def test_granulated_is_the_papers(shape):
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 6, size=(2, 7, *shape)).astype(float)
    expected = [brute(a, b) for a, b in zip(x, y)]
    flat = [values.reshape(7, -1) for values in (x, y)]
    np.testing.assert_allclose(granulated_kendall(*flat, shape), expected, atol=1e-14)


def test_a_measure_of_one_axis_alone_scores_that_axis_alone():
    depth, width = np.meshgrid(np.arange(3.0), np.arange(4.0), indexing="ij")
    gap = depth * 10 + width
    assert granulated_kendall(depth.ravel(), gap.ravel(), (3, 4)) == 0.5
    assert granulated_kendall(gap.ravel(), gap.ravel(), (3, 4)) == 1.0


def test_missing_values_take_their_pairs_along():
    x, y = np.array([1.0, 2.0, np.nan]), np.array([1.0, 3.0, 2.0])
    assert granulated_kendall(x, y, (3,)) == 1.0
    assert np.isnan(granulated_kendall(np.ones(1), np.ones(1), (1,)))
    assert np.isnan(granulated_kendall(np.ones(0), np.ones(0), (0,)))


def test_two_infinite_values_are_a_tie_as_in_kendalls():
    """The pair of them counts 0 rather than not at all: one of three pairs is against, one with, one tied."""
    x, y = np.array([np.inf, np.inf, 1.0]), np.array([2.0, 1.0, 0.0])
    assert granulated_kendall(x, y, (3,)) == pytest.approx(2 / 3)
    assert granulated_kendall(x, np.array([2.0, 0.0, 1.0]), (3,)) == 0.0
    assert granulated_kendall(-x, y, (3,)) == pytest.approx(-2 / 3)
    assert granulated_kendall(x[:2], y[:2], (2,)) == 0.0
