"""Verdicts on few, missing, equal, infinite and lopsided seeds."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from gendsl.spec import (
    Coordinate,
    Operation,
    Where,
)
from gendsl_runtime.claims.decide import decide
from gendsl_runtime.record import Failure
from gendsl_runtime.results import Results
from tests.runtime.claimed import RUN, WIDTH, X, Y, claim, minus, number, only, reduce, results, seeds, where


def test_a_seed_with_a_diverged_run_is_left_out_whole():
    rng = np.random.default_rng(8)
    x = rng.normal(size=(2, 10)) + np.array([[2.0], [0]])
    x[0, 3] = np.nan
    statement = claim(reduce("mean", where(X, run=0)), ">", reduce("mean", where(X, run=1)))
    verdict = only([RUN, seeds(10)], statement, [Failure("a", {"seed": 3}, "diverged")], x=x)
    kept = np.delete(x, 3, axis=1)
    np.testing.assert_allclose(verdict.interval, stats.ttest_rel(kept[0], kept[1]).confidence_interval())
    assert (verdict.used, verdict.missing) == (9, 1)
    assert "1 of 10 seeds is left out" in verdict.warnings[0]
    assert "diverged: 1" in verdict.warnings[0]


def test_failures_elsewhere_cost_nothing():
    x = np.random.default_rng(9).normal(size=(2, 10))
    x[1, 3] = np.nan
    verdict = only([RUN, seeds(10)], claim(reduce("mean", where(X, run=0)), ">", 0), x=x)
    assert (verdict.used, verdict.missing, verdict.warnings) == (10, 0, ())


def test_cells_lose_their_own_seeds_only():
    x = np.random.default_rng(10).normal(size=(3, 6))
    x[1, 2] = x[2, 0] = x[2, 1] = np.nan
    verdict = only([WIDTH, seeds(6)], claim(reduce("mean", X), "<", 10), x=x)
    assert [case.used for case in verdict.cases] == [6, 5, 4]
    for case, row in zip(verdict.cases, x, strict=True):
        assert case.left == pytest.approx(np.nanmean(row))


def test_padding_of_own_axes_is_no_failure():
    x = np.arange(12.0).reshape(4, 3) ** 2
    x[1, 2] = np.nan
    verdict = only([seeds(4)], claim(reduce("mean", reduce("highest", X, over=("point",))), ">", 0), x=x)
    assert verdict.missing == 0
    assert verdict.left == pytest.approx(np.nanmax(x, axis=1).mean())


def test_a_point_of_an_own_axis_is_picked_by_its_label():
    x = np.arange(15.0).reshape(5, 3) ** 2
    x[1, 2] = np.nan
    found = results([seeds(5)], x=x)
    found = Results(found.spec, {"m": found["m"].assign_coords(point=[0.0, 5.0, 10.0])})
    at = Operation(op="==", operands=(Coordinate(axis="point"), number(10.0)))
    picked = Where(subject=X, condition=at, picked={"point": 10.0})
    verdict = _decided(found, claim(reduce("mean", picked), ">", 0))
    assert verdict.left == pytest.approx(np.nanmean(x[:, 2]))
    assert (verdict.used, verdict.missing) == (4, 1)
    nowhere = Where(subject=X, condition=at, picked={"point": 7.0})
    assert _decided(found, claim(reduce("mean", nowhere), ">", 0)).outcome == "undecided"


def _decided(found, statement):
    spec = found.spec.model_copy(update={"claims": (statement,)})
    return decide(Results(spec, found.datasets))[0]


@pytest.mark.parametrize("n", [1, 2])
def test_fewer_than_three_seeds_decide_nothing(n):
    verdict = only([seeds(n)], claim(reduce("mean", X), ">", 0), x=np.arange(n) + 5.0)
    assert verdict.outcome == "undecided"
    assert f"{n} usable seed" in verdict.reason
    assert verdict.interval == (-math.inf, math.inf)


def test_all_seeds_missing():
    verdict = only([seeds(4)], claim(reduce("mean", X), ">", 0), x=np.full(4, np.nan))
    assert verdict.outcome == "undecided"
    assert (verdict.used, verdict.missing) == (0, 4)


def test_few_seeds_are_a_warning():
    verdict = only([seeds(4)], claim(reduce("mean", X), ">", 0), x=[1.0, 2, 1, 2])
    assert verdict.warnings == (
        "only 4 seeds: intervals are wide and rest on their values being near to normal",
    )


@pytest.mark.parametrize(("op", "outcome"), [(">=", "supported"), ("<", "refuted"), ("==", "supported")])
def test_seeds_that_do_not_vary_are_said_to(op, outcome):
    verdict = only([seeds(10)], claim(reduce("mean", X), op, 0.95), x=np.full(10, 0.95))
    assert verdict.outcome == outcome
    assert "no width" in verdict.reason
    assert verdict.estimate == 0.0


def test_equality_can_be_refuted_only():
    x = np.random.default_rng(11).normal(size=20)
    near = only([seeds(20)], claim(reduce("mean", X), "==", 0), x=x - x.mean())
    assert near.outcome == "undecided"
    assert "never show" in near.reason
    far = only([seeds(20)], claim(reduce("mean", X), "==", 9), x=x)
    assert far.outcome == "refuted"
    assert only([seeds(20)], claim(reduce("mean", X), "!=", 9), x=x).outcome == "supported"


def test_infinite_values_are_undecided():
    verdict = only([seeds(5)], claim(reduce("mean", X), ">", 0), x=[1.0, np.inf, 1, 1, 1])
    assert verdict.outcome == "undecided"
    assert "infinite" in verdict.reason


def test_verdicts_are_the_same_every_time():
    rng = np.random.default_rng(12)
    x, y = rng.normal(size=(2, 2, 10))
    statement = claim(reduce("spearman", X, Y, over=("run", "seed")), "<", -0.5)
    first = only([RUN, seeds(10)], statement, x=x, y=y)
    assert only([RUN, seeds(10)], statement, x=x, y=y) == first


def test_lopsided_seeds_are_a_warning():
    x = np.array([0.1, 0.2, 0.1, 0.15, 0.12, 0.11, 0.13, 0.2, 0.1, 9.0])
    verdict = only([seeds(10)], claim(reduce("mean", X), ">", 0), x=x)
    assert "lopsided" in verdict.warnings[0]


def test_the_rise_of_a_mean_curve_keeps_its_level():
    rng = np.random.default_rng(14)
    mean_curve = reduce("mean", X)
    statement = claim(reduce("rise", mean_curve, over=(), along="width"), ">", 0)
    wrong = 0
    for _ in range(200):
        wrong += only([WIDTH, seeds(8)], statement, x=rng.normal(size=(3, 8))).outcome != "undecided"
    # 5 % of 200, and three standard errors of that count.
    assert wrong <= 10 + 3 * math.sqrt(9.5)
    x = rng.normal(size=(3, 8)) * 0.1 + np.array([0.0, 2.0, 1.0])[:, None]
    verdict = only([WIDTH, seeds(8)], statement, x=x)
    assert (verdict.outcome, verdict.kind) == ("supported", "simultaneous t")
    assert verdict.estimate == pytest.approx(x[1].mean() - x[0].mean())
    pairs = [x[j] - x[i] for i in range(3) for j in range(i + 1, 3)]
    assert verdict.p_true == pytest.approx(
        3 * min(stats.ttest_1samp(pair, 0, alternative="greater").pvalue for pair in pairs)
    )
    highs = [stats.ttest_1samp(pair, 0).confidence_interval().high for pair in pairs]
    assert verdict.high == pytest.approx(max(highs))


def test_the_lowest_of_a_mean_curve_is_for_all():
    x = np.random.default_rng(15).normal(size=(3, 8)) + np.array([5.0, 4.0, 6.0])[:, None]
    verdict = only(
        [WIDTH, seeds(8)], claim(reduce("lowest", reduce("mean", X), over=("width",)), ">", 0), x=x
    )
    worst = max(stats.ttest_1samp(row, 0, alternative="greater").pvalue for row in x)
    assert verdict.p_true == pytest.approx(worst)
    assert verdict.estimate == pytest.approx(x.mean(axis=1).min())


def test_the_mean_of_rises_is_a_warning():
    x = np.random.default_rng(16).normal(size=(3, 8))
    verdict = only([WIDTH, seeds(8)], claim(reduce("rise", X, over=(), along="width"), ">", 0), x=x)
    assert "noise alone" in verdict.warnings[-1]


def test_an_extreme_mixed_with_a_mean_is_a_warning():
    x = np.random.default_rng(13).normal(size=8)
    verdict = only([seeds(8)], claim(minus(reduce("mean", X), reduce("lowest", X)), ">", 0), x=x)
    assert verdict.kind == "studentised bootstrap of seeds"
    assert "average first" in verdict.warnings[-1]


def test_what_a_choice_among_seeds_costs_is_a_warning():
    x, y = np.random.default_rng(13).normal(size=(2, 8))
    verdict = only([seeds(8)], claim(reduce("regret", X, Y), ">", 0), x=x, y=y)
    assert "average first" in verdict.warnings[-1]
