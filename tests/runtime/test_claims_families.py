"""Quantified claims and files of claims keep their level."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from gendsl.spec import (
    Coordinate,
    Operation,
    Where,
)
from gendsl_runtime.claims.decide import decide
from tests.runtime.claimed import RUN, WIDTH, X, claim, number, only, reduce, results, seeds


def test_for_all_and_for_some_keep_the_level():
    rng = np.random.default_rng(5)
    x = rng.normal(size=(3, 10)) + np.array([5.0, 5.0, 0.2])[:, None]
    tests = [stats.ttest_1samp(row, 0, alternative="greater").pvalue for row in x]
    against = [stats.ttest_1samp(row, 0, alternative="less").pvalue for row in x]
    everywhere = only([WIDTH, seeds(10)], claim(reduce("mean", X), ">", 0, width="all"), x=x)
    assert everywhere.p_true == pytest.approx(max(tests))
    assert everywhere.p_false == pytest.approx(min(1, 3 * min(against)))
    assert everywhere.outcome == "undecided"
    somewhere = only([WIDTH, seeds(10)], claim(reduce("mean", X), ">", 0, width="some"), x=x)
    assert somewhere.p_true == pytest.approx(3 * min(tests))
    assert somewhere.p_false == pytest.approx(max(against))
    assert somewhere.outcome == "supported"
    assert somewhere.estimate == pytest.approx(x.mean(axis=1)[np.argmin(tests)])
    refuted = only([WIDTH, seeds(10)], claim(reduce("mean", X), "<", 1, width="all"), x=x)
    assert refuted.outcome == "refuted"


def test_quantifiers_nest_in_their_order():
    # Each run has a width above 0; no width is above 0 in both runs.
    x = np.array([[1.0, -1, -1], [-1, 1, -1]])
    each = claim(X, ">", 0, run="all", width="some")
    assert only([RUN, WIDTH], each, x=x).outcome == "supported"
    one = claim(X, ">", 0, width="some", run="all")
    assert only([RUN, WIDTH], one, x=x).outcome == "refuted"


def test_coordinates_that_are_not_chosen_are_not_asked_about():
    some = Where(subject=X, condition=Operation(op=">", operands=(Coordinate(axis="width"), number(1.5))))
    verdict = only(
        [WIDTH, seeds(4)], claim(reduce("mean", some), ">", 0), x=np.array([[-1.0], [1], [1]]) + np.zeros(4)
    )
    assert [case.coordinate["width"] for case in verdict.cases] == [2, 4]
    assert verdict.outcome == "supported"


# --- Holm --------------------------------------------------------------------------------


def test_holm_over_the_file():
    rng = np.random.default_rng(6)
    x = rng.normal(size=12) + 0.9
    claims = [claim(reduce("mean", X), ">", t, name=f"c{t}") for t in (0.0, 0.1, 0.2)]
    claims.append(claim(number(1), "<", 2, name="sure"))
    verdicts = decide(results([seeds(12)], claims, x=x))
    p = sorted(min(v.p_true, v.p_false) for v in verdicts[:3])
    expected = np.maximum.accumulate(np.minimum(1, np.array([6, 5, 4]) * p))
    np.testing.assert_allclose(sorted(v.corrected_p for v in verdicts[:3]), expected)
    assert verdicts[3].corrected == "supported"
    assert verdicts[3].corrected_p is None


def test_one_claim_needs_no_correction():
    x = np.random.default_rng(7).normal(size=9) + 1
    verdict = only([seeds(9)], claim(reduce("mean", X), ">", 0), x=x)
    assert verdict.corrected_p == pytest.approx(verdict.p_value)
    assert verdict.corrected == verdict.outcome
