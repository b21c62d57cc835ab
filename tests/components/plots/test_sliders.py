"""An axis to move along: rows of one place at a time, sides that stand still."""

from __future__ import annotations

import numpy as np
import pytest
import vl_convert

from gendsl_runtime.chart.slider import CHOSEN, STEPS
from gendsl_runtime.plots.bar import bar
from gendsl_runtime.plots.heatmap import heatmap
from gendsl_runtime.plots.histogram import histogram
from gendsl_runtime.plots.image import image
from gendsl_runtime.plots.line import line
from gendsl_runtime.plots.scatter import scatter
from gendsl_runtime.report.figure import vega_lite
from tests.components.plots.columns import TABLE, labels, notes, quantity

WIDTHS, SEEDS, EPOCHS = [4, 16, 64], [0, 1, 2], list(range(1, 101))
VALUES = np.random.default_rng(3).normal(size=(3, 3, 100)).cumsum(axis=2)
Y = quantity(VALUES, width=WIDTHS, seed=SEEDS, epoch=EPOCHS)
X, EPOCH = labels("width", WIDTHS), labels("epoch", EPOCHS)
CHARTS = {
    "line": lambda: line(TABLE, x=X, y=Y, slider=EPOCH),
    "scatter": lambda: scatter(TABLE, x=X, y=Y, slider=EPOCH),
    "bar": lambda: bar(TABLE, x=X, y=Y, slider=EPOCH),
    "heatmap": lambda: heatmap(TABLE, x=X, y=labels("seed", SEEDS), color=Y, slider=EPOCH),
    "histogram": lambda: histogram(TABLE, Y, slider=EPOCH),
    "image": lambda: image(TABLE, quantity(VALUES, y=WIDTHS, x=SEEDS, epoch=EPOCHS), slider=EPOCH),
}


@pytest.mark.parametrize("kind", CHARTS)
def test_rows_hold_places_and_one_place_is_shown(kind: str) -> None:
    content = vega_lite(CHARTS[kind]())
    meta = content["usermeta"]["slider"]
    assert meta["title"] == "epoch"
    assert (meta["labels"][0], meta["labels"][-1], len(meta["labels"])) == ("1", "100", STEPS)
    rows = [row for rows in content["datasets"].values() for row in rows if "slide" in row]
    assert {row["slide"] for row in rows} == set(range(STEPS))
    assert {"name": "slide", "value": STEPS - 1} in content["params"]
    assert CHOSEN in str(content)
    assert "30 of 100 places" in " ".join(content["usermeta"]["notes"])
    assert vl_convert.vegalite_to_svg({**content, "config": {}})


def test_sides_do_not_move_with_the_slider() -> None:
    content = vega_lite(line(TABLE, x=X, y=Y, slider=EPOCH))
    rows = next(iter(content["datasets"].values()))
    low, high = min(row["low"] for row in rows), max(row["high"] for row in rows)
    area = content["layer"][0]["encoding"]["y"]["scale"]["domain"]
    assert area == pytest.approx([low, high], rel=1e-5)


def test_means_are_of_one_place() -> None:
    rows = vega_lite(line(TABLE, x=X, y=Y, slider=EPOCH))["datasets"]
    last = [row for row in next(iter(rows.values())) if row["slide"] == STEPS - 1 and row["x"] == 16]
    assert len(last) == 1
    assert last[0]["y"] == pytest.approx(VALUES[1, :, -1].mean(), rel=1e-5)


def test_without_a_slider_nothing_is_added() -> None:
    content = vega_lite(line(TABLE, x=X, y=Y.over(Y.array.isel(epoch=0, drop=True))))
    assert "params" not in content
    assert "slider" not in notes(line(TABLE, x=EPOCH, y=Y))
