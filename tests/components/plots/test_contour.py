"""Lines of equal height lie where the function has that height."""

from __future__ import annotations

import numpy as np
import pytest

from gendsl_runtime.chart.contours import heights_between, segments
from gendsl_runtime.plots.contour import contour
from gendsl_runtime.problem import Problem
from tests.components.plots.columns import TABLE, labels, notes, quantity

SIDE = np.linspace(-1, 1, 41)


def test_the_line_of_a_cone_is_a_circle() -> None:
    x, y = np.meshgrid(SIDE, SIDE)
    found = segments(np.hypot(x, y), SIDE, SIDE, 0.5)
    radii = np.hypot(found[:, [0, 2]], found[:, [1, 3]])
    # Linear interpolation of r over an edge h is off by at most h^2 / (8 r), h being the diagonal.
    assert np.abs(radii - 0.5).max() <= (2 * 0.05**2) / (8 * 0.4)
    length = np.hypot(found[:, 2] - found[:, 0], found[:, 3] - found[:, 1]).sum()
    assert length == pytest.approx(np.pi, rel=0.01)


def test_pieces_join_and_missing_heights_have_no_line() -> None:
    x, y = np.meshgrid(SIDE, SIDE)
    found = np.round(segments(x + 0.3 * y, SIDE, SIDE, 0.1037), 9)
    ends = [tuple(end) for piece in found for end in (piece[:2], piece[2:])]
    assert sum(ends.count(end) == 1 for end in set(ends)) == 2, "one open line: two free ends"
    assert len(segments(np.full((5, 5), np.nan), SIDE[:5], SIDE[:5], 0.0)) == 0
    assert len(segments(np.zeros((5, 5)), SIDE[:5], SIDE[:5], 1.0)) == 0


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-3.7, 250.0), (1e-9, 3e-9)])
def test_heights_are_round_and_between(low: float, high: float) -> None:
    found = heights_between(low, high, 8)
    assert 3 <= len(found) <= 9
    assert all(low < one < high for one in found)
    assert heights_between(1.0, 1.0, 5) == []
    assert heights_between(1.0, 1e4, 3, is_log=True) == pytest.approx([10, 100, 1000])


def test_a_landscape_has_pictures_lines_and_says_its_heights() -> None:
    values = np.stack([np.add.outer(SIDE**2, SIDE**2)] * 2)
    heights = quantity(values, run=["a", "b"], y=SIDE, x=SIDE)
    chart = contour(
        TABLE, x=labels("x", SIDE), y=labels("y", SIDE), color=heights, facet=labels("run", ["a", "b"])
    )
    content = chart.to_dict()
    panels = content["vconcat"][0]["concat"]
    assert [panel["title"]["text"] for panel in panels] == ["a", "b"]
    data = content["datasets"]
    pieces = [row for rows in data.values() for row in rows if "height" in row]
    for row in pieces:
        # Bilinear between points 0.05 apart, on a coarser grid: off by at most h^2 / 4 along each side.
        assert abs(row["x"] ** 2 + row["y"] ** 2 - row["height"]) < 0.002
    assert "Lines at 0.2, 0.4" in notes(chart)


def test_a_log_side_and_log_heights() -> None:
    widths = [1.0, 10.0, 100.0]
    heights = quantity(np.outer(widths, widths), y=widths, x=widths)
    chart = contour(
        TABLE,
        x=labels("x", widths),
        y=labels("y", widths),
        color=heights,
        levels=3,
        scale="log",
        x_scale="log",
        y_scale="log",
    )
    rows = [row for rows in chart.to_dict()["datasets"].values() for row in rows if "height" in row]
    assert {row["height"] for row in rows} == {10, 100, 1000}
    assert all(row["x"] * row["y"] == pytest.approx(row["height"], rel=1e-4) for row in rows)


def test_names_are_no_landscape() -> None:
    names = labels("run", ["a", "b"])
    with pytest.raises(Problem, match="axis of at least two numbers"):
        contour(TABLE, x=names, y=names, color=quantity(np.zeros((2, 2)), run=["a", "b"], x=[1, 2]))
