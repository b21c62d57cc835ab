"""Places and directions of mean curves against t-tests by hand, and at their level under the null."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from gendsl.spec import Choice, Claim, Statistic
from gendsl_runtime.claims.places import one_way, place
from tests.runtime.claimed import WIDTH, X, claim, number, only, reduce, seeds

REPETITIONS = 2000
SLACK = 3 * math.sqrt(0.05 * 0.95 / REPETITIONS)
RNG = np.random.default_rng(0)
CLEAR = RNG.normal(size=(3, 8)) + np.array([6.0, 0.0, 9.0])[:, None]


def curve(name, **arguments):
    found = reduce(name, reduce("mean", X), over=("width",), along="width")
    return Statistic(**{**vars_of(found), "arguments": arguments})


def vars_of(statistic):
    return {
        name: getattr(statistic, name) for name in ("name", "version", "values", "arguments", "over", "along")
    }


@pytest.mark.parametrize(
    ("op", "right", "outcome"),
    [
        ("==", 2, "supported"),
        ("<", 4, "supported"),
        ("<=", 2, "supported"),
        (">", 2, "refuted"),
        ("!=", 2, "refuted"),
        ("==", 1, "refuted"),
    ],
)
def test_a_clear_place_decides_every_comparison(op, right, outcome):
    verdict = only([WIDTH, seeds(8)], claim(curve("argmin"), op, right), x=CLEAR)
    assert verdict.outcome == outcome
    assert verdict.kind == "simultaneous paired t"
    assert verdict.low == verdict.high == 2 - right
    swapped = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}.get(op, op)
    mirrored = Claim(name="c", text="", left=number(right), op=swapped, right=curve("argmin"))
    assert only([WIDTH, seeds(8)], mirrored, x=CLEAR).outcome == outcome


def test_the_p_value_of_a_place_is_that_of_its_worst_rival():
    x = RNG.normal(size=(3, 6)) + np.array([1.0, 0.0, 2.0])[:, None]
    verdict = only([WIDTH, seeds(6)], claim(curve("argmin"), "==", 2), x=x)

    def beaten(i):
        tests = [stats.ttest_rel(x[i], x[j], alternative="greater").pvalue for j in range(3) if j != i]
        return min(1, 2 * min(tests))

    assert verdict.p_true == pytest.approx(max(beaten(0), beaten(2)))
    assert verdict.p_false == pytest.approx(beaten(1))
    highest = only([WIDTH, seeds(6)], claim(curve("argmax"), "==", 2), x=-x)
    assert (highest.p_true, highest.p_false) == pytest.approx((verdict.p_true, verdict.p_false))


def test_a_place_that_seeds_agree_on_by_chance_is_not_certain():
    # Each of 4 seeds has its minimum at the same place, and a resample could not tell.
    x = np.array([[0.0, 0.1, 0.2, 3.0], [0.05, 0.6, 0.3, 3.1], [1.0, 2.0, 2.0, 5.0]])
    assert only([WIDTH, seeds(4)], claim(curve("argmin"), "==", 1), x=x).outcome == "undecided"


def test_directions_are_tests_of_steps():
    rising = Choice(name="rising")
    x = RNG.normal(size=(3, 6)) + np.array([0.0, 2.0, 3.0])[:, None]
    verdict = only([WIDTH, seeds(6)], claim(curve("monotone", direction=rising), "==", 1), x=x)
    steps = [stats.ttest_rel(x[k + 1], x[k], alternative="greater").pvalue for k in (0, 1)]
    against = [stats.ttest_rel(x[k + 1], x[k], alternative="less").pvalue for k in (0, 1)]
    assert verdict.p_true == pytest.approx(max(steps))
    assert verdict.p_false == pytest.approx(min(1, 2 * min(against)))
    zero = only([WIDTH, seeds(6)], claim(curve("monotone", direction=rising), "<", 0.5), x=x)
    assert (zero.p_true, zero.p_false) == pytest.approx((verdict.p_false, verdict.p_true))
    down = only(
        [WIDTH, seeds(8)], claim(curve("monotone", direction=Choice(name="falling")), "==", 1), x=CLEAR
    )
    assert down.outcome == "refuted"
    assert (down.low, down.high) == (-1, -1)


def test_equal_curves_of_all_seeds_are_decided_by_what_they_are():
    x = np.tile(np.array([3.0, 1.0, 1.0])[:, None], 5)
    falls = claim(curve("monotone", direction=Choice(name="falling")), "==", 1)
    assert only([WIDTH, seeds(5)], falls, x=x).outcome == "supported"
    assert only([WIDTH, seeds(5)], claim(curve("argmin"), ">", 1), x=x).outcome == "supported"
    assert only([WIDTH, seeds(5)], claim(curve("argmin"), "==", 2), x=x).outcome == "undecided"


@pytest.mark.parametrize("count", [2, 5])
def test_places_of_flat_curves_keep_the_level(count):
    values = np.random.default_rng(1).normal(size=(5, count, REPETITIONS))
    # The last place is the truth by the smallest of margins; the claim says it is one before.
    points, threshold = np.arange(float(count)), np.full(REPETITIONS, count - 1.0)
    found = place("argmin", values, points, op="<", level=0.95, threshold=threshold)
    assert np.mean(found.p_above <= 0.025) <= 0.025 + SLACK
    assert np.mean((found.low <= 0) & (found.high >= 0)) >= 0.95 - SLACK


def test_directions_of_flat_curves_keep_the_level():
    values = np.random.default_rng(2).normal(size=(5, 4, REPETITIONS))
    found = one_way(values, rising=True, op="==", level=0.95, threshold=np.ones(REPETITIONS))
    assert np.mean(found.p_below <= 0.025) <= 0.025 + SLACK
    values[:, 1:] += 9 * np.arange(3)[:, None]
    edge = one_way(values, rising=True, op="==", level=0.95, threshold=np.ones(REPETITIONS))
    assert np.mean(edge.p_above <= 0.025) <= 0.025 + SLACK


def test_the_place_of_each_seed_is_averaged():
    each = Statistic(name="argmin", version=1, values=(X,), over=(), along="width", arguments={})
    verdict = only([WIDTH, seeds(8)], claim(reduce("mean", each), ">", 1), x=CLEAR)
    assert verdict.kind == "t"
    assert verdict.left == 2


def test_a_place_among_other_terms_is_warned_of():
    both = claim(curve("argmin"), "<", reduce("median", X, over=("seed", "width")))
    assert any("too narrow here" in text for text in only([WIDTH, seeds(8)], both, x=CLEAR).warnings)
