"""Verdicts against hand calculations: exact claims, paired seeds, each statistic's interval."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from gendsl.spec import (
    Claim,
    Coordinate,
    Operation,
    Range,
    Where,
)
from gendsl_runtime.claims.evaluate import evaluate
from tests.runtime.claimed import RUN, WIDTH, X, Y, claim, minus, number, only, reduce, results, seeds, where

# --- numbers without replicates ----------------------------------------------------------


@pytest.mark.parametrize(
    ("op", "right", "outcome"),
    [
        ("<", 2.0, "refuted"),
        ("<=", 2.0, "supported"),
        ("==", 2.0, "supported"),
        ("!=", 2.0, "refuted"),
        (">=", 2.0, "supported"),
        (">", 1.0, "supported"),
    ],
)
def test_a_number_without_seeds_is_decided_exactly(op, right, outcome):
    verdict = only([], claim(X, op, right), x=2.0)
    assert verdict.outcome == verdict.corrected == outcome
    assert verdict.kind == "exact"
    assert verdict.p_value is None
    assert verdict.interval == (2.0 - right, 2.0 - right)


def test_a_missing_number_is_undecided():
    verdict = only([], claim(X, "<", 1), x=np.nan)
    assert verdict.outcome == "undecided"
    assert "missing" in verdict.reason


def test_exact_quantifiers():
    for word, outcome in (("all", "refuted"), ("some", "supported")):
        verdict = only([WIDTH], claim(X, ">", 1, width=word), x=[1.0, 2.0, 3.0])
        assert verdict.outcome == outcome
        assert [case.outcome for case in verdict.cases] == ["refuted", "supported", "supported"]
        assert verdict.cases[2].coordinate == {"width": 4}


# --- means over seeds --------------------------------------------------------------------


def test_the_mean_of_seeds_has_student_interval():
    x = np.array([1.0, 2.0, 4.0, 3.0, 2.5])
    test = stats.ttest_1samp(x, 1.0)
    verdict = only([seeds(5)], claim(reduce("mean", X), ">", 1), x=x)
    np.testing.assert_allclose(verdict.interval, np.array(test.confidence_interval()) - 1.0)
    assert verdict.p_value == pytest.approx(test.pvalue)
    assert verdict.outcome == "supported"
    assert verdict.kind == "t"
    assert (verdict.left, verdict.right, verdict.used) == (2.5, 1.0, 5)


def test_runs_are_paired_by_seed():
    rng = np.random.default_rng(0)
    shared = rng.normal(size=10) * 10
    x = np.stack([shared + 1 + rng.normal(size=10) * 0.1, shared])
    clean, poisoned = (reduce("mean", where(X, run=k), over=("seed",)) for k in (0, 1))
    verdict = only([RUN, seeds(10)], claim(clean, ">", poisoned), x=x)
    test = stats.ttest_rel(x[0], x[1])
    np.testing.assert_allclose(verdict.interval, test.confidence_interval())
    assert verdict.p_value == pytest.approx(test.pvalue)
    assert verdict.outcome == "supported"
    assert verdict.kind == "paired t"
    backwards = only([RUN, seeds(10)], claim(clean, "<", poisoned), x=x)
    assert backwards.outcome == "refuted"
    against = only([RUN, seeds(10)], claim(minus(clean, poisoned), ">", 1), x=x)
    assert against.outcome == "undecided"
    assert against.reason == "the interval holds 0"


def test_a_statistic_that_leaves_seeds_is_averaged_over_them():
    x = np.random.default_rng(1).normal(size=(3, 8)) + np.arange(3)[:, None]
    verdict = only([WIDTH, seeds(8)], claim(reduce("slope", X, over=("width",), along="width"), ">", 0), x=x)
    slopes = [np.polyfit([1, 2, 4], x[:, k], 1)[0] for k in range(8)]
    test = stats.ttest_1samp(slopes, 0)
    np.testing.assert_allclose(verdict.interval, test.confidence_interval())
    assert verdict.left == pytest.approx(np.mean(slopes))


def test_levels_widen_the_interval():
    x = np.array([0.5, 1.5, 2.5, 1.0, 1.2, 0.1])
    intervals = [
        only([seeds(6)], claim(reduce("mean", X), ">", 0, level=level), x=x).interval for level in (0.9, 0.99)
    ]
    expected = [stats.ttest_1samp(x, 0).confidence_interval(level) for level in (0.9, 0.99)]
    np.testing.assert_allclose(intervals, expected)


# --- other statistics --------------------------------------------------------------------


def test_rank_correlation_over_seeds_and_runs():
    rng = np.random.default_rng(2)
    y = rng.normal(size=(2, 20))
    statement = claim(reduce("spearman", X, Y, over=("run", "seed")), "<", -0.5)
    verdict = only([RUN, seeds(20)], statement, x=-y + 0.1 * rng.normal(size=(2, 20)), y=y)
    assert verdict.outcome == "supported"
    assert verdict.kind == "studentised bootstrap of seeds"
    assert -0.5 <= verdict.low < verdict.estimate < verdict.high < 0
    noise = only([RUN, seeds(20)], statement, x=rng.normal(size=(2, 20)), y=y)
    assert noise.outcome == "refuted"


def test_perfectly_ordered_seeds_do_not_make_a_correlation_certain():
    x = np.arange(5.0)
    verdict = only([seeds(5)], claim(reduce("spearman", X, Y), ">", 0.5), x=x, y=x)
    assert verdict.left == 1.0
    assert verdict.outcome == "undecided"


def test_median_interval_is_near_its_normal_theory():
    x = np.random.default_rng(3).normal(size=200)
    verdict = only([seeds(200)], claim(reduce("median", X), ">", 0), x=x)
    # The median's asymptotic standard error for normal values is 1.2533 / sqrt(n); 30 % for one sample.
    half = 1.96 * 1.2533 / math.sqrt(200)
    assert (verdict.high - verdict.low) / 2 == pytest.approx(half, rel=0.3)
    assert verdict.estimate == np.median(x)


def test_fractions_are_exact_binomial():
    holds = Operation(op=">", operands=(X, number(0.5)))
    x = np.array([1.0] * 9 + [0.0])
    verdict = only([seeds(10)], claim(reduce("fraction", holds), ">", 0.5), x=x)
    test = stats.binomtest(9, 10, 0.5)
    interval = test.proportion_ci(method="exact")
    np.testing.assert_allclose(verdict.interval, [interval.low - 0.5, interval.high - 0.5])
    assert verdict.kind == "exact binomial"
    one_sided = stats.binomtest(9, 10, 0.5, alternative="greater").pvalue
    assert verdict.p_value == pytest.approx(2 * one_sided)
    mirrored = only(
        [seeds(10)],
        Claim(name="c", text="", left=number(0.5), op="<", right=reduce("fraction", holds)),
        x=x,
    )
    assert mirrored.outcome == verdict.outcome == "supported"
    assert mirrored.low == pytest.approx(-verdict.high)


def test_extremes_over_seeds_are_facts_about_the_runs_made():
    verdict = only([seeds(4)], claim(reduce("lowest", X), ">=", 0.99), x=[1.0, 0.995, 1.0, 0.99])
    assert verdict.outcome == "supported"
    assert verdict.kind == "the runs made"
    assert "47% of all" in verdict.reason  # 0.05 ** (1 / 4)
    assert verdict.p_value is None
    some = only([seeds(4)], claim(reduce("highest", X), ">=", 0.99), x=[1.0, 0.995, 1.0, 0.99])
    assert some.outcome == "supported"
    assert "of all" not in some.reason


def test_a_mean_against_the_lowest_of_a_curve():
    rng = np.random.default_rng(4)
    x = rng.normal(size=(3, 10)) * 0.1 + np.array([3.0, 2.0, 1.0])[:, None]
    last = reduce("mean", where(X, width=2))
    before = Where(
        subject=X, condition=Operation(op="in", operands=(Coordinate(axis="width"), Range(low=1, high=2)))
    )
    verdict = only(
        [WIDTH, seeds(10)], claim(last, "<", reduce("lowest", before, over=("width",), along="width")), x=x
    )
    test = stats.ttest_1samp(x[2] - x[:2].min(axis=0), 0)
    np.testing.assert_allclose(verdict.interval, test.confidence_interval())
    assert verdict.outcome == "supported"


def test_a_sample_of_whole_seeds_is_drawn_alike_for_every_run():
    x = np.arange(6.0).reshape(2, 3)
    found = evaluate(reduce("mean", X), results([RUN, seeds(3)], x=x), draws=np.array([[0, 0, 2], [1, 1, 1]]))
    assert found.dims == ("run", "resample") or found.dims == ("resample", "run")
    np.testing.assert_allclose(found.sel(run="clean"), [2 / 3, 1])
    np.testing.assert_allclose(found.sel(run="poisoned"), [2 / 3 + 3, 4])


def test_deviations_from_a_mean_use_the_same_draw():
    deviation = Operation(op="**", operands=(minus(X, reduce("mean", X)), number(2)))
    draws = np.array([[0, 0, 2], [1, 2, 2]])
    x = np.array([1.0, 5.0, 9.0])
    found = evaluate(reduce("mean", deviation), results([seeds(3)], x=x), draws=draws)
    np.testing.assert_allclose(found, x[draws].var(axis=1))
