"""What holds of verdicts whatever the data."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gendsl_runtime.claims.verdict import Verdict
from tests.runtime.claimed import RUN, X, claim, only, reduce, seeds, where

VALUES = st.floats(-1e3, 1e3) | st.sampled_from([0.0, 1.0, math.nan, math.inf])


@settings(max_examples=25, deadline=None)
@given(
    x=hnp.arrays(np.float64, (2, 6), elements=VALUES),
    name=st.sampled_from(["mean", "median", "lowest", "std", "rise"]),
    op=st.sampled_from(["<", "<=", "==", "!=", ">=", ">"]),
)
def test_any_data_give_a_verdict_and_its_mirror_image(x, name, op):
    def value(run):
        inside = where(X, run=run)
        if name == "rise":
            return reduce("rise", inside, over=(), along="seed")
        return reduce(name, inside)

    verdict = only([RUN, seeds(6)], claim(value(0), op, value(1)), x=x)
    mirrored = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}.get(op, op)
    mirror = only([RUN, seeds(6)], claim(value(1), mirrored, value(0)), x=x)
    assert verdict.outcome in ("supported", "refuted", "undecided")
    assert verdict.outcome == mirror.outcome
    assert verdict.used + verdict.missing == 6
    assert Verdict.restored(verdict.record()) == verdict or math.isnan(verdict.estimate)
    if verdict.outcome != "undecided":
        assert verdict.low <= verdict.estimate <= verdict.high


@settings(max_examples=15, deadline=None)
@given(x=hnp.arrays(np.float64, 7, elements=st.floats(-100, 100)), order=st.permutations(range(7)))
def test_the_order_of_seeds_does_not_matter_to_a_mean(x, order):
    statement = claim(reduce("mean", X), ">", 0.5)
    first, second = (only([seeds(7)], statement, x=values) for values in (x, x[list(order)]))
    assert first.outcome == second.outcome
    np.testing.assert_allclose(first.interval, second.interval, rtol=1e-9, atol=1e-9)
