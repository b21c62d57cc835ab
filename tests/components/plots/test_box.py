"""Quartiles and whiskers of each group, every value as a point."""

from __future__ import annotations

import numpy as np
import pytest
import vl_convert

from gendsl_runtime.plots.box import FEWEST, box
from gendsl_runtime.problem import Problem
from tests.components.plots.columns import TABLE, labels, notes, quantity, rows

WIDTHS, SEEDS = [4, 16], list(range(9))
VALUES = np.stack([np.arange(9.0), np.array([0, 1, 2, 3, 4, 5, 6, 7, 100.0])])


def test_boxes_are_quartiles_and_whiskers_end_at_a_value() -> None:
    chart = box(TABLE, x=labels("width", WIDTHS), y=quantity(VALUES, width=WIDTHS, seed=SEEDS))
    found = {row["x"]: row for row in rows(chart) if row["kind"] == "box"}
    assert [found[4][name] for name in ("low", "q1", "median", "q3", "high")] == [0, 2, 4, 6, 8]
    assert found[16]["high"] == 7, "100 is beyond 1.5 box lengths from the third quartile"
    points = [row["y"] for row in rows(chart) if row["kind"] == "point"]
    assert sorted(points) == sorted(VALUES.ravel())
    assert "over seed" in notes(chart)


@pytest.mark.parametrize("boxes", [True, False])
def test_few_values_are_points_alone(boxes: bool) -> None:
    few = quantity(VALUES[:, : FEWEST - 1], width=WIDTHS, seed=SEEDS[: FEWEST - 1])
    chart = box(TABLE, x=labels("width", WIDTHS), y=few, boxes=boxes)
    assert len(rows(chart)) == 2 * (FEWEST - 1)
    assert ("no boxes" in notes(chart)) == boxes


def test_boxes_stand_along_an_axis() -> None:
    measured = quantity(np.arange(3.0), seed=range(3))
    with pytest.raises(Problem, match="is measured"):
        box(TABLE, x=measured, y=measured)


def test_boxes_stand_side_by_side_on_a_scale_that_has_their_gaps() -> None:
    """A bar's width in bands is one of the outer axis where an offset is given; boxes stood beside their points."""
    values = np.arange(20.0).reshape(2, 2, 5)
    y = quantity(values, size=["a", "b"], kind=["u", "v"], seed=range(5))
    chart = box(TABLE, x=labels("size", ["a", "b"]), y=y, color=labels("kind", ["u", "v"]))
    marks = vl_convert.vegalite_to_vega(chart.to_dict())["marks"]
    places = {mark["type"]: mark["encode"]["update"]["x"] for mark in marks}
    assert "band" not in places["rect"] and "band" not in places["rect"]["offset"], (
        "from the start of its place"
    )
    assert places["symbol"]["offset"]["band"] == 0.5, "in the middle of it"


def test_an_axis_of_one_label_is_not_named_as_spread() -> None:
    y = quantity(VALUES[:, :, None], width=WIDTHS, seed=SEEDS, rank=[1])
    assert "over seed." in notes(box(TABLE, x=labels("width", WIDTHS), y=y))
