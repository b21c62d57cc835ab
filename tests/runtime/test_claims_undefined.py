"""Statistics without a value are counted and said; how many seeds would decide; Holm by closed testing."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from gendsl.spec import Choice, Operation, Spec, Statistic
from gendsl_runtime.claims.decide import decide
from gendsl_runtime.claims.outlook import power, seeds_to_decide
from gendsl_runtime.claims.verdict import FARTHEST
from gendsl_runtime.cli.verdicts import verdict_lines
from tests.runtime.claimed import WIDTH, X, Y, claim, number, only, reduce, results, seeds


def along(name, value=X, **arguments):
    return Statistic(name=name, version=1, values=(value,), over=(), along="width", arguments=arguments)


TINY = Spec(name="t", title="T", path="t.gen", text="", axes={}, steps={}, claims=())
FIRST = {"level": number(0.5), "direction": Choice(name="either"), "which": Choice(name="first")}


def power_law(n, rng):
    return 3 * np.array([1.0, 2, 4])[:, None] ** -0.5 * rng.lognormal(0, 0.05, size=(3, n))


def test_a_seed_without_an_exponent_is_left_out_and_said():
    x = power_law(8, np.random.default_rng(0))
    x[1, 3] = 0.0
    verdict = only([WIDTH, seeds(8)], claim(reduce("mean", along("exponent")), "<", 0), x=x)
    slopes = [np.polyfit(np.log([1, 2, 4]), np.log(x[:, k]), 1)[0] for k in range(8) if k != 3]
    np.testing.assert_allclose(verdict.interval, stats.ttest_1samp(slopes, 0).confidence_interval())
    assert (verdict.used, verdict.missing) == (7, 1)
    assert "`exponent` takes values and coordinates above 0 only" in " ".join(verdict.warnings)


def test_an_exponent_of_a_mean_curve_that_has_none_is_undecided_and_says_why():
    x = power_law(8, np.random.default_rng(1))
    x[1] = -1.0
    statement = claim(along("exponent", reduce("mean", X)), "<", 0)
    verdict = only([WIDTH, seeds(8)], statement, x=x)
    assert verdict.outcome == "undecided"
    assert "`exponent` takes" in verdict.reason
    x[1] = np.random.default_rng(2).normal(0.3, 1, size=8)
    verdict = only([WIDTH, seeds(8)], statement, x=x)
    assert verdict.outcome == "undecided"
    assert "of the resamples" in verdict.reason


def test_curves_that_never_cross():
    x = np.tile(np.array([[0.0], [0.4], [1.0]]), 10) + np.random.default_rng(3).normal(size=10) * 0.02
    x[:, 0] = 0.0
    crossing = along("threshold", **FIRST)
    mean = only([WIDTH, seeds(10)], claim(reduce("mean", crossing), "<", 3), x=x)
    assert mean.outcome == "undecided"
    assert "`threshold` has a value only where the curve crosses the level" in mean.reason
    median = only([WIDTH, seeds(10)], claim(reduce("median", crossing), "<", 3), x=x)
    assert median.outcome == "supported"
    early = Operation(op="<", operands=(crossing, number(3)))
    share = only([WIDTH, seeds(10)], claim(reduce("fraction", early), ">", 0.5), x=x)
    assert (share.left, share.kind, share.outcome) == (0.9, "exact binomial", "supported")


def test_several_crossings_are_said():
    x = np.tile(np.array([[0.0], [1.0], [0.0]]), 6) + np.random.default_rng(4).normal(size=(3, 6)) * 0.02
    verdict = only([WIDTH, seeds(6)], claim(reduce("mean", along("threshold", **FIRST)), "<", 2), x=x)
    assert verdict.outcome == "supported"
    assert any("6 of 6 curves cross the level several times: the first" in text for text in verdict.warnings)


def test_partial_correlations_are_averaged_over_seeds():
    x = np.arange(3.0)[:, None] + np.random.default_rng(5).normal(size=(3, 6))
    statement = claim(reduce("granulated_kendall", X, reduce("mean", X, over=()), over=("width",)), ">", -2)
    verdict = only([WIDTH, seeds(6)], statement, x=x)
    assert verdict.left == 1.0
    assert verdict.outcome == "supported"


# --- how many seeds ------------------------------------------------------------------------------


def test_that_many_seeds_decide_four_times_in_five():
    x = stats.zscore(np.random.default_rng(6).normal(size=10), ddof=1) + 0.5
    verdict = only([seeds(10)], claim(reduce("mean", X), ">", 0), x=x)
    assert verdict.outcome == "undecided"
    assert f"about {verdict.needed} seeds" in verdict.outlook
    assert verdict.outlook in " ".join(verdict_lines(TINY, [verdict], is_coloured=False))
    effect = x.mean() / x.std(ddof=1)
    repeated = np.random.default_rng(7).normal(size=(4000, verdict.needed)) + effect
    decided = np.mean(stats.ttest_1samp(repeated, 0, axis=1).pvalue <= 0.05)
    # Three standard errors of 4,000 experiments, and one seed more or less.
    assert decided == pytest.approx(0.8, abs=3 * (0.8 * 0.2 / 4000) ** 0.5 + 0.02)


def test_no_number_where_none_can_be_given():
    assert seeds_to_decide(0.5, 10, level=0.95) is None
    assert seeds_to_decide(0.4999, 10, level=0.95) == FARTHEST + 1
    assert seeds_to_decide(float("nan"), 10, level=0.95) is None
    assert power(10_000, 0.01, level=0.95) == pytest.approx(0.17, abs=0.01)
    decided = only([seeds(9)], claim(reduce("mean", X), ">", 0), x=np.arange(9.0) + 5)
    assert decided.needed is None
    assert decided.outlook == ""


def test_what_not_even_many_seeds_would_decide_is_said():
    x = stats.zscore(np.random.default_rng(6).normal(size=10), ddof=1) + 0.001
    verdict = only([seeds(10)], claim(reduce("mean", X), ">", 0), x=x)
    assert verdict.outlook.startswith("not even 10,000 seeds would decide it")


# --- Holm ----------------------------------------------------------------------------------------


def test_holm_is_closed_testing_with_bonferroni():
    rng = np.random.default_rng(8)
    claims = [claim(reduce("mean", X), ">", t, name=f"c{t}") for t in (-0.9, -0.4, 0.3)]
    verdicts = decide(results([seeds(8)], claims, x=rng.normal(size=8)))
    family = [p for verdict in verdicts for p in (verdict.p_true, verdict.p_false)]
    subsets = [set(chosen) for size in range(1, 7) for chosen in itertools.combinations(range(6), size)]
    adjusted = [
        max(min(1, len(s) * min(family[k] for k in s)) for s in subsets if place in s) for place in range(6)
    ]
    for place, verdict in enumerate(verdicts):
        assert verdict.corrected_p == pytest.approx(min(adjusted[2 * place : 2 * place + 2]))


def test_correlations_of_four_pairs_decide_nothing():
    x, y = np.arange(4.0), np.array([1.0, 2.0, 3.0, 4.1])
    verdict = only([seeds(4)], claim(reduce("pearson", X, Y), ">", 0), x=x, y=y)
    assert verdict.outcome == "undecided"
    assert verdict.reason == "4 usable seeds, at least 5 are needed"
