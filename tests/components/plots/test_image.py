"""Pictures: pixels read back by another library, in place and the right way up."""

from __future__ import annotations

import base64
import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import vl_convert

from gendsl_runtime.chart.raster import picture, ramp
from gendsl_runtime.chart.style import DIVERGING, VIRIDIS
from gendsl_runtime.plots.image import PANELS, image
from gendsl_runtime.problem import Problem
from tests.components.plots.columns import TABLE, labels, notes, quantity

SIDE = [-1.0, 0.0, 1.0]
NAMES = ["clean", "poisoned"]


def pixels(url: str) -> np.ndarray:
    """The picture as RGBA."""
    reader = pytest.importorskip("PIL.Image")
    content = base64.b64decode(url.removeprefix("data:image/png;base64,"))
    return np.asarray(reader.open(io.BytesIO(content)).convert("RGBA"))


def panels(chart: Any) -> list[dict[str, Any]]:
    """The panels, the rows of each layer in it as `rows`."""
    content = chart.to_dict()
    assert vl_convert.vegalite_to_vega(content)["marks"]
    found: list[dict[str, Any]] = content["vconcat"][0]["concat"]
    for panel in found:
        for layer in panel["layer"]:
            place = next(
                part["data"] for part in (layer, panel, content["vconcat"][0], content) if "data" in part
            )
            layer["rows"] = content["datasets"][place["name"]]
    return found


def url(panel: dict[str, Any]) -> str:
    found = panel["layer"][0]["rows"][0]["url"]
    assert found.startswith("data:image/png;base64,")
    return str(found)


def test_pixels_take_the_colours_in_order_and_missing_ones_are_clear() -> None:
    shades = ramp(VIRIDIS)
    read = pixels(picture(np.array([[0.0, 0.5], [1.0, np.nan]]), low=0.0, high=1.0, colours=shades))
    assert read.shape == (2, 2, 4)
    for place, shade in (((0, 0), shades[0]), ((0, 1), shades[127]), ((1, 0), shades[-1])):
        assert read[place][:3].tolist() == [int(shade[k : k + 2], 16) for k in (1, 3, 5)]
    assert read[1, 1, 3] == 0


def test_a_plane_grows_upwards() -> None:
    grid = np.array([[0.0, 0.0, 0.0], [0.5, 0.5, 0.5], [1.0, 1.0, 1.0]])
    (panel,) = panels(image(TABLE, quantity(grid, y=SIDE, x=SIDE), colors="grey"))
    read = pixels(url(panel))
    assert read[0, 0, 0] < read[2, 0, 0], "black, the highest, is on top"
    assert panel["layer"][0]["encoding"]["y"]["scale"]["domain"] == [-1.5, 1.5]


def test_rows_of_a_digit_go_downwards() -> None:
    grid = np.array([[1.0, 1.0], [0.0, 0.0]])
    (panel,) = panels(image(TABLE, quantity(grid, row=[0, 1], column=[0, 1]), colors="grey"))
    assert pixels(url(panel))[0, 0, 0] < pixels(url(panel))[1, 0, 0]


def test_each_label_of_the_facet_has_a_panel_and_all_share_one_scale() -> None:
    grids = np.stack([np.zeros((3, 3)), np.ones((3, 3))])
    found = panels(image(TABLE, quantity(grids, run=NAMES, y=SIDE, x=SIDE), facet=labels("run", NAMES)))
    assert [panel["title"]["text"] for panel in found] == NAMES
    assert not (pixels(url(found[0])) == pixels(url(found[1]))).all()


def test_seeds_are_averaged_and_said() -> None:
    grids = np.stack([np.zeros((3, 3)), np.ones((3, 3))])
    chart = image(TABLE, quantity(grids, seed=[0, 1], y=SIDE, x=SIDE), low=0.0, high=1.0, colors="grey")
    (panel,) = panels(chart)
    assert abs(int(pixels(url(panel))[0, 0, 0]) - 127) <= 1
    assert "means over 2 seeds" in notes(chart)


def test_each_panel_has_its_own_grid_where_the_members_lie_on_different_ones() -> None:
    grids = np.full((2, 6, 6), np.nan)
    grids[0, :3, :3], grids[1, 3:, 3:] = 0.0, 1.0
    side = [-1.0, 0.0, 1.0, 9.0, 10.0, 11.0]
    left, right = panels(image(TABLE, quantity(grids, run=NAMES, y=side, x=side)))
    assert pixels(url(left)).shape == pixels(url(right)).shape == (3, 3, 4)
    assert right["layer"][0]["encoding"]["x"]["scale"]["domain"] == [8.5, 11.5]


def test_points_stand_on_top_of_their_own_panel() -> None:
    grids = np.zeros((2, 3, 3))
    across = quantity(np.array([[0.1, 0.2, 0.5], [0.3, np.nan, np.nan]]), run=NAMES, example=range(3))
    down = quantity(np.array([[0.1, 0.2, 0.5], [0.3, 0.4, np.nan]]), run=NAMES, example=range(3))
    chart = image(
        TABLE, quantity(grids, run=NAMES, y=SIDE, x=SIDE), facet=labels("run", NAMES), x=across, y=down
    )
    dots = [panel["layer"][1]["rows"] for panel in panels(chart)]
    assert [[row["x"] for row in rows] for rows in dots] == [[0.1, 0.2, 0.5], [0.3]]
    assert "1 of 5 points" in notes(chart), (
        "one run has one point less, and one of its points has no first place"
    )


def test_pictures_without_a_value_are_left_out_and_said() -> None:
    values = np.ones((2, 3, 3))
    values[1] = np.nan
    chart = image(TABLE, quantity(values, data=NAMES, y=SIDE, x=SIDE), facet=labels("data", NAMES))
    assert [panel["title"]["text"] for panel in panels(chart)] == ["clean"]
    assert "1 of 2 pictures have no value" in notes(chart)
    with pytest.raises(Problem, match="nothing to draw"):
        image(TABLE, quantity(np.full((3, 3), np.nan), y=SIDE, x=SIDE))


def test_points_of_a_measured_colour_take_those_of_the_picture() -> None:
    spots, wanted = (
        quantity(np.array([0.1, 0.2]), example=[0, 1]),
        quantity(np.array([0.0, 1.0]), example=[0, 1]),
    )
    grid = quantity(np.zeros((3, 3)), y=SIDE, x=SIDE)
    chart = image(TABLE, grid, x=spots, y=spots, color=wanted, low=0.0, high=1.0)
    (panel,) = panels(chart)
    channel = panel["layer"][1]["encoding"]["color"]
    assert channel["scale"] == {"domain": [0.0, 1.0], "range": ramp(DIVERGING), "clamp": True}
    assert channel["legend"] is None, "the picture's own says it"
    below, there = ramp(DIVERGING)[0], pixels(url(panel))[0, 0, :3]
    assert all(abs(int(below[k : k + 2], 16) / 2 + 127.5 - there[k // 2]) <= 1 for k in (1, 3, 5)), "paler"
    assert [row["color"] for row in panel["layer"][1]["rows"]] == [0.0, 1.0]


def test_many_pictures_are_cut_off_and_say_so() -> None:
    grids = np.zeros((100, 2, 2))
    chart = image(TABLE, quantity(grids, example=list(range(100)), row=[0, 1], column=[0, 1]))
    assert len(panels(chart)) == PANELS
    assert "64 of 100 pictures" in notes(chart)


def test_a_line_is_no_picture() -> None:
    with pytest.raises(Problem, match="over two axes"):
        image(TABLE, quantity(np.zeros(3), epoch=[1, 2, 3]))


def test_pictures_of_three_axes_have_a_small_panel_each_in_the_order_of_the_first() -> None:
    """[example, y, x]: digits, kernels, mazes; rows are counted downwards."""
    grids = np.arange(6 * 4 * 2, dtype=np.float64).reshape(6, 4, 2)
    chart = image(TABLE, quantity(grids, example=range(6), y=range(4), x=range(2)), colors="grey")
    found = panels(chart)
    assert [panel["title"]["text"] for panel in found] == [f"example {k}" for k in range(6)]
    assert [(panel["width"], panel["height"]) for panel in found] == [(52, 104)] * 6
    assert chart.to_dict()["vconcat"][0]["columns"] == 6
    shades = pixels(url(found[2]))[..., 0].astype(int)
    assert shades.shape == (4, 2)
    assert shades.ravel().tolist() == sorted(shades.ravel().tolist(), reverse=True), "larger is darker"
    assert abs(shades[0, 0] - 255 * (1 - 16 / 47)) < 1.5


def test_diverging_colours_have_their_middle_at_zero_where_signs_differ() -> None:
    grid = np.array([[-1.0, 0.0], [0.5, 3.0]])
    middle = ramp(DIVERGING)[127]
    read = pixels(url(panels(image(TABLE, quantity(grid, y=range(2), x=range(2))))[0]))
    assert read[0, 1][:3].tolist() == [int(middle[k : k + 2], 16) for k in (1, 3, 5)]
    given = pixels(url(panels(image(TABLE, quantity(grid, y=range(2), x=range(2)), low=-1.0))[0]))
    assert given[0, 0][:3].tolist() == [int(DIVERGING[0][k : k + 2], 16) for k in (1, 3, 5)]


def test_a_panel_of_true_or_of_a_number_says_of_what() -> None:
    for values, titles in ((["true", "false"], ["run true", "run false"]), ([1, 2], ["run 1", "run 2"])):
        grids = np.arange(8.0).reshape(2, 2, 2)
        quantities = quantity(grids, run=values, y=[0, 1], x=[0, 1])
        found = panels(image(TABLE, quantities, facet=labels("run", values)))
        assert [panel["title"]["text"] for panel in found] == titles


def test_points_find_the_panel_of_a_label_that_is_shown_in_words() -> None:
    """Panels are called by what the facet shows, which need not be what the axis holds."""
    held, shown = ["one_run", "other_run"], np.array(["one run", "other run"])
    facet = labels("run", held)
    facet = replace(facet, array=facet.array.copy(data=shown), levels=tuple(shown.tolist()))
    grids = quantity(np.arange(8.0).reshape(2, 2, 2), run=held, y=[0.0, 1.0], x=[0.0, 1.0])
    places = quantity(np.array([[0.25], [0.75]]), run=held, point=[0])
    drawn = panels(image(TABLE, grids, facet=facet, x=places, y=places))
    found = {panel["title"]["text"]: panel["layer"][1]["rows"] for panel in drawn}
    assert {name: [row["x"] for row in rows] for name, rows in found.items()} == {
        "one run": [0.25],
        "other run": [0.75],
    }
