"""Ranks against scipy."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from gendsl_runtime.measures.ranks import average_ranks


@given(st.lists(st.sampled_from([-np.inf, -1.0, 0.0, 2.0, np.inf]), max_size=12))
def test_average_ranks_are_those_of_scipy(values):
    np.testing.assert_array_equal(average_ranks(np.array(values)), stats.rankdata(values))


def test_missing_values_take_no_rank():
    np.testing.assert_array_equal(average_ranks(np.array([3.0, np.nan, 1.0, 3.0])), [2.5, np.nan, 1, 2.5])
