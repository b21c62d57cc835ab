"""What every statistic that reduces any axes has in common: missing values left out, axes in front kept."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gendsl_runtime.components import catalogue, load

NAMES = sorted(name for kind, name in catalogue().components if kind == "statistic")
SINGLE = [name for name in NAMES if catalogue().components["statistic", name].arity == 1]
PAIRS = [name for name in NAMES if catalogue().components["statistic", name].arity == 2]
ANYWHERE = [n for n in SINGLE + PAIRS if catalogue().components["statistic", n].facts["reduces"] != "along"]
ARGUMENTS = {"quantile": {"level": 0.3}, "threshold": {"level": 0.3}}
# Few distinct values, so that ties are common.
NUMBERS = st.sampled_from([-2.0, 0.0, 0.5, 1.0, 3.0, float("nan")])


def called(name, *values):
    described = catalogue().components["statistic", name]
    size = values[0].shape[-1]
    points = {"over": (), "along": (np.arange(size) ** 2,), "grid": ((size,),)}[described.facts["reduces"]]
    with np.errstate(all="ignore"):
        return load("statistic", name)(*values, *points, **ARGUMENTS.get(name, {}))


def test_there_are_the_promised_statistics():
    promised = """mean median lowest highest quantile std fraction rise slope exponent auc threshold argmin argmax
    monotone ratio difference spearman kendall pearson granulated_kendall conditional_information"""
    assert set(promised.split()) <= set(NAMES)


@pytest.mark.parametrize("name", SINGLE + PAIRS)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_rows_are_independent_and_inputs_unchanged(name, data):
    count = 2 if name in PAIRS else 1
    values = [data.draw(arrays(np.float64, (2, 3, 5), elements=NUMBERS)) for _ in range(count)]
    before = [array.copy() for array in values]
    whole = called(name, *values)
    assert whole.shape == (2, 3)
    for place in np.ndindex(2, 3):
        alone = called(name, *(array[place] for array in values))
        np.testing.assert_array_equal(whole[place], alone)
    for array, old in zip(values, before, strict=True):
        np.testing.assert_array_equal(array, old)


@pytest.mark.parametrize("name", SINGLE + PAIRS)
def test_nothing_but_missing_values_gives_nan(name):
    values = [np.full((2, 4), np.nan)] * (2 if name in PAIRS else 1)
    assert np.isnan(called(name, *values)).all()


@pytest.mark.parametrize("name", ANYWHERE)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_missing_values_are_as_if_not_there(name, data):
    count = 2 if name in PAIRS else 1
    values = [data.draw(arrays(np.float64, 6, elements=NUMBERS)) for _ in range(count)]
    present = ~np.any([np.isnan(array) for array in values], axis=0)
    expected = called(name, *(array[present] for array in values))
    np.testing.assert_allclose(called(name, *values), expected, rtol=1e-14)
