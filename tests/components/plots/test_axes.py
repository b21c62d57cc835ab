"""Ticks of log scales, and the order of panels."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
import vl_convert
from hypothesis import given
from hypothesis import strategies as st

from gendsl_runtime.chart.style import decades
from gendsl_runtime.plots.box import box
from gendsl_runtime.plots.line import line
from tests.components.plots.columns import TABLE, labels, quantity


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0.05, 1.4, [0.05, 0.1, 0.2, 0.5, 1]),
        (0.09, 0.75, [0.1, 0.2, 0.3, 0.5, 0.7]),
        (0.9, 280, [1, 3, 10, 30, 100]),
        (4e-6, 0.2, [1e-5, 1e-4, 1e-3, 0.01, 0.1]),
        (1e-20, 1, [1e-20, 1e-17, 1e-14, 1e-11, 1e-8, 1e-5, 1e-2]),
    ],
)
def test_ticks_of_a_log_scale_are_round(low: float, high: float, ticks: list[float]) -> None:
    found = decades(np.array([low, math.nan, -1.0, 0.0, high, math.inf]))["values"]
    inside = [tick for tick in found if low <= tick <= high]
    if low == 1e-20:
        assert (
            len(inside) >= 5 and len({round(math.log10(b / a)) for a, b in itertools.pairwise(inside)}) == 1
        )
    else:
        assert inside == pytest.approx(ticks)


@given(st.floats(-30, 30), st.floats(0.4, 60))
def test_a_log_scale_has_some_ticks_and_not_too_many(start: float, width: float) -> None:
    low, high = 10.0**start, 10.0 ** min(start + width, 90)
    found = decades(np.array([low, high])).get("values", [])
    assert found == sorted(set(found))
    assert 2 <= len([tick for tick in found if low <= tick <= high]) <= 9 or high / low < 10**0.41


@pytest.mark.parametrize(
    "values", [np.array([]), np.array([0.0, math.nan]), np.array([2.0, 3.0]), np.array(["a"])]
)
def test_where_a_log_scale_has_no_room_for_them_it_has_ticks_of_its_own(values: np.ndarray) -> None:
    assert decades(values) == {}


def test_a_whole_power_of_ten_is_labelled() -> None:
    """Between 0.05 and 1.4 the label of 0.5 had pushed away that of 0.1."""
    y = quantity(np.geomspace(0.05, 1.4, 10).reshape(2, 5), run=["a", "b"], seed=range(5))
    content = box(TABLE, x=labels("run", ["a", "b"]), y=y, y_scale="log").to_dict()
    axes = [layer["encoding"]["y"]["axis"] for layer in content["layer"]]
    assert all({0.1, 1.0} <= set(axis["values"]) for axis in axes)
    assert vl_convert.vegalite_to_vega(content)["marks"]


@pytest.mark.parametrize("names", [["noise", "replace", "also"], ["a", "b"]])
def test_panels_have_the_order_of_their_axis(names: list[str]) -> None:
    y = quantity(np.arange(2.0 * len(names)).reshape(-1, 2), kind=names, width=[1, 2])
    chart = line(TABLE, x=labels("width", [1, 2]), y=y, facet=labels("kind", names))
    content = chart.to_dict()
    rows: list[dict[str, Any]] = next(iter(content["datasets"].values()))
    cell = next(one for one in vl_convert.vegalite_to_vega(content)["marks"] if one.get("name") == "cell")
    field = cell["sort"]["field"][0]
    key = "panel" if "panel" in field else "facet"
    assert list(dict.fromkeys(row["facet"] for row in sorted(rows, key=lambda row: row[key]))) == names
