"""Conditional mutual information of orderings against sums over probabilities as the paper writes them."""

from __future__ import annotations

import itertools
from collections import Counter
from math import log

import numpy as np
import pytest

from gendsl_runtime.statistics.conditional_information import conditional_information


def brute(x, y, *, given):
    """min over S of I(V_x, V_y | U_S) / H(V_y | U_S) of arrays over the grid of settings."""
    places = list(np.ndindex(*x.shape))
    found = []
    for size in range(given + 1):
        for chosen in itertools.combinations(range(x.ndim), size):
            counts = Counter(
                (tuple((a[k], b[k]) for k in chosen), np.sign(x[a] - x[b]), np.sign(y[a] - y[b]))
                for a in places
                for b in places
                if x[a] != x[b] and y[a] != y[b]
            )
            information = entropy = 0.0
            for condition in {key[0] for key in counts}:
                n = sum(count for key, count in counts.items() if key[0] == condition)
                weight = n / sum(counts.values())
                p = {key[1:]: count / n for key, count in counts.items() if key[0] == condition}
                p_x = {s: sum(v for key, v in p.items() if key[0] == s) for s in (-1, 1)}
                p_y = {s: sum(v for key, v in p.items() if key[1] == s) for s in (-1, 1)}
                information += weight * sum(v * log(v / (p_x[a] * p_y[b])) for (a, b), v in p.items())
                entropy -= weight * sum(v * log(v) for v in p_y.values() if v > 0)
            if entropy > 1e-12:
                found.append(information / entropy)
    return min(found)


@pytest.mark.parametrize("shape", [(6,), (3, 4), (2, 3, 3)])
@pytest.mark.parametrize("given", [0, 1, 2])
def test_information_is_the_papers(shape, given):
    rng = np.random.default_rng(len(shape) + given)
    x = rng.integers(0, 9, size=(4, *shape)).astype(float)
    y = x + rng.normal(size=x.shape) * 2
    expected = [brute(a, b, given=min(given, len(shape))) for a, b in zip(x, y)]
    flat = [values.reshape(4, -1) for values in (x, y)]
    np.testing.assert_allclose(conditional_information(*flat, shape, given=given), expected, atol=1e-10)


def test_a_measure_of_one_axis_alone_tells_nothing_once_that_axis_is_known():
    rng = np.random.default_rng(5)
    depth = np.repeat(np.arange(4.0), 6)
    gap = depth + rng.normal(size=24)
    assert conditional_information(depth, gap, (4, 6), given=0) > 0.2
    assert conditional_information(depth, gap, (4, 6), given=1) == 0.0


def test_opposite_orders_tell_as_much():
    x = np.random.default_rng(6).normal(size=12)
    assert conditional_information(x, -x, (3, 4)) == pytest.approx(1.0)
    assert np.isnan(conditional_information(np.ones(4), np.arange(4.0), (2, 2)))
