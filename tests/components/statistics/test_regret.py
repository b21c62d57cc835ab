"""What a choice costs, against a loop."""

from __future__ import annotations

import math

import numpy as np

from gendsl_runtime.statistics.regret import regret


def test_against_a_loop():
    rng = np.random.default_rng(5)
    outcomes, scores = rng.normal(size=(2, 200, 7))
    for values in (outcomes, scores):
        values[rng.random(values.shape) < 0.2] = np.nan
    found = regret(outcomes, scores)
    for row, (u, s) in enumerate(zip(outcomes, scores, strict=True)):
        pairs = [(b, a) for a, b in zip(u, s, strict=True) if not math.isnan(a + b)]
        assert found[row] == max(a for _, a in pairs) - max(pairs)[1]


def test_a_score_that_orders_like_the_outcome_costs_nothing_and_its_opposite_the_range():
    outcomes = np.random.default_rng(6).normal(size=(30, 9))
    assert not regret(outcomes, np.exp(outcomes)).any()
    np.testing.assert_array_equal(regret(outcomes, -outcomes), np.ptp(outcomes, axis=1))


def test_the_first_of_equal_scores_and_scores_without_bounds():
    assert regret(np.array([1.0, 3.0, 2.0]), np.array([5.0, 5.0, 5.0])) == 2.0
    assert regret(np.array([3.0, 1.0]), np.array([0.0, np.inf])) == 2.0
    assert regret(np.array([np.nan, 1.0, 3.0]), np.array([9.0, -np.inf, -np.inf])) == 2.0


def test_the_best_costs_nothing_where_it_is_infinite():
    assert regret(np.array([1.0, np.inf]), np.array([0.0, 1.0])) == 0.0
    assert regret(np.array([1.0, np.inf]), np.array([1.0, 0.0])) == np.inf
    assert regret(np.array([-np.inf, -np.inf]), np.array([0.0, 1.0])) == 0.0
    assert np.isnan(regret(np.array([np.nan, 1.0]), np.array([0.0, np.nan])))
