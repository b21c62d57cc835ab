"""Every statistic and plot on small labelled results; a new component file is covered as it is."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import xarray as xr

from gendsl_runtime import components
from gendsl_runtime.chart.table import Column, Table
from gendsl_runtime.problem import Problem

CATALOGUE = components.catalogue()


@pytest.mark.parametrize("name", CATALOGUE.names("statistic"))
def test_statistic(name):
    known, function = CATALOGUE.components["statistic", name], components.load("statistic", name)
    chance = np.random.default_rng(0)
    # Values above 0, as some statistics need.
    values = [chance.lognormal(size=(4, 3, 9)) for _ in range(max(1, known.arity))]
    axis = {"over": [], "along": [np.arange(9.0) + 1], "grid": [np.array([3, 3])]}[known.facts["reduces"]]
    required = {p.python: 0.5 for p in known.parameters.values() if p.required}
    arguments = [*values, *axis]
    before = [array.copy() for array in arguments]
    result = function(*arguments, **required)
    assert result.shape == (4, 3)
    assert np.isfinite(result).all()
    assert all((array == old).all() for array, old in zip(arguments, before))
    assert (function(*arguments, **required) == result).all()
    # Every cell by itself gives the same: a statistic knows nothing of the other axes.
    cell = function(*[array[1, 2] for array in values], *axis, **required)
    np.testing.assert_allclose(cell, result[1, 2], rtol=1e-12)


@pytest.mark.parametrize("name", CATALOGUE.names("statistic"))
def test_a_statistic_says_its_unit_and_how_its_interval_is_made(name):
    text = components.load("statistic", name).__doc__
    assert "Interval: " in text
    returned = text.partition("Returns:")[2]
    assert any(word in returned for word in ("unit", "from -1 to 1", "from 0 to 1", "1 or 0"))


def columns() -> list[Column]:
    """Two axes, a quantity over both, and one over the seeds as well."""
    x, y, seed = np.arange(4.0) + 1, np.arange(3.0) + 1, np.arange(5)
    values = np.random.default_rng(0).random((4, 3, 5))
    coordinates = {"x": x, "y": y, "seed": seed}
    whole = xr.DataArray(values, dims=("x", "y", "seed"), coords=coordinates)
    return [
        Column(xr.DataArray(x, dims="x", coords={"x": x}), "x", levels=tuple(x), dim="x"),
        Column(xr.DataArray(y, dims="y", coords={"y": y}), "y", levels=tuple(y), dim="y"),
        Column(whole.isel(seed=0, drop=True), "one seed"),
        Column(whole, "all seeds"),
    ]


@pytest.mark.parametrize("name", CATALOGUE.names("plot"))
def test_plot(name):
    """Some of the ways to fill its fields with axes and quantities give a chart, the same one each time."""
    known, function = CATALOGUE.components["plot", name], components.load("plot", name)
    needed = [p.python for p in known.parameters.values() if p.required and p.type.name == "Values"]
    charts = 0
    for chosen in itertools.product(columns(), repeat=len(needed)):
        before = [column.array.copy(deep=True) for column in chosen]
        arguments = dict(zip(needed, chosen))
        try:
            chart = function(Table("seed"), **arguments)
        except Problem as problem:
            assert problem.help or problem.message
            continue
        assert chart.to_dict() == function(Table("seed"), **arguments).to_dict()
        assert all(column.array.identical(old) for column, old in zip(chosen, before))
        charts += 1
        if charts == 2:
            break
    assert charts
