"""Points: one for each result, by name of the axes."""

from __future__ import annotations

import numpy as np
import pytest

from gendsl_runtime.plots.scatter import POINTS, scatter
from tests.components.plots.columns import TABLE, labels, notes, quantity, rows

NAMES, SEEDS = ["clean", "poisoned"], [0, 1, 2]


def test_axes_meet_by_name_and_not_by_position() -> None:
    volume = np.arange(6.0).reshape(2, 3)
    chart = scatter(
        TABLE,
        x=quantity(volume, run=NAMES, seed=SEEDS),
        y=quantity(10 * volume.T, seed=SEEDS, run=NAMES),
        color=labels("run", NAMES),
    )
    found = rows(chart)
    assert len(found) == 6
    for row in found:
        assert row["y"] == pytest.approx(10 * row["x"])
        assert row["color"] == ("clean" if row["x"] < 3 else "poisoned")


def test_labels_that_only_one_side_has_are_left_out() -> None:
    x = quantity(np.arange(3.0), seed=[0, 1, 2])
    y = quantity(np.arange(2.0), seed=[1, 5])
    assert [(row["x"], row["y"]) for row in rows(scatter(TABLE, x=x, y=y))] == [(1, 0)]


def test_a_measured_colour_goes_from_dark_to_light() -> None:
    x = quantity(np.arange(3.0), seed=SEEDS)
    colour = scatter(TABLE, x=x, y=x, color=x).to_dict()["encoding"]["color"]
    assert colour["type"] == "quantitative"


def test_many_points_are_thinned_always_the_same_way() -> None:
    x = quantity(np.arange(20_000.0), example=list(range(20_000)))
    first, again = (scatter(TABLE, x=x, y=x) for _ in range(2))
    assert len(rows(first)) == POINTS
    assert rows(first) == rows(again)
    assert "3,000 of 20,000 points are drawn" in notes(first)


def test_missing_points_are_counted() -> None:
    x = quantity(np.array([1.0, np.nan, 3.0]), seed=SEEDS)
    chart = scatter(TABLE, x=x, y=x)
    assert len(rows(chart)) == 2
    assert "1 of 3" in notes(chart)
