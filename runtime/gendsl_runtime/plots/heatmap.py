"""A quantity over two axes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from gendsl_runtime.chart.records import data, present
from gendsl_runtime.chart.slider import stepped
from gendsl_runtime.chart.style import DIVERGING, VIRIDIS, drawn, finished, order
from gendsl_runtime.chart.table import Column, Table
from gendsl_runtime.component import Real, Values, plot

CELLS = 4000
"""Cells drawn at most in one panel; larger grids are drawn coarser."""


@plot(version=1)
def heatmap(
    table: Table,
    *,
    x: Values,
    y: Values,
    color: Values,
    facet: Values | None = None,
    slider: Values | None = None,
    scale: Literal["linear", "log"] = "linear",
    middle: Real | None = None,
) -> Any:
    """A quantity as colour over two axes; its mean over seeds and over every axis that nothing else mentions.

    Args:
        x: an axis.
        y: an axis.
        color: the quantity.
        facet: an axis with a panel for each label.
        slider: an axis that the reader moves along, such as epochs; at most 30 places of it.
        scale: how the quantity goes from dark to light.
        middle: a value from which blue goes one way and vermilion the other, such as 0.
    """
    slider, sliding = stepped(slider)
    mentioned = {column.dim for column in (x, y, facet, slider) if column is not None}
    others = [dim for dim in color.array.dims if dim not in mentioned]
    values = color.over(color.array.mean(others))
    x, y, values, thinning = _coarse(x, y, values)
    frame, missing = present(
        table.frame(x=x, y=y, color=values, facet=facet, slide=slider),
        "color",
        positive=("color",) * (scale == "log"),
    )
    height = min(max(44 * y.array.size, 90), 340)
    encoding = _encoding(x, y, color, _shade(scale, middle, height, spelt=color.format))
    chart = drawn({"type": "rect"}, encoding, data(frame.drop(columns="detail")))
    note = f"Cells are means over {' and '.join(map(str, others))}." if others else ""
    return finished(
        chart,
        facet,
        notes=[note, sliding, thinning, missing],
        slider=slider,
        height=height,
        description=f"Heat map of {color.title} over {x.title} and {y.title}.",
    )


def _encoding(x: Column, y: Column, color: Column, shade: dict[str, Any]) -> dict[str, Any]:
    return {
        "x": {"field": "x", **_side(x)},
        "y": {"field": "y", **_side(y, is_up=True)},
        "color": {"field": "color", "type": "quantitative", "title": color.title, **shade},
        "tooltip": [
            _named("x", x),
            _named("y", y),
            {"field": "color", "title": color.title, "type": "quantitative", "format": color.format},
        ],
    }


def _named(field: str, column: Column) -> dict[str, Any]:
    if column.share and column.is_number:
        return {"field": field, "title": column.title, "type": "quantitative", "format": column.format}
    return {"field": field, "title": column.title, "type": "nominal"}


def _side(column: Column, *, is_up: bool = False) -> dict[str, Any]:
    """Cells stand side by side in the order of the axis; numbers grow upwards."""
    axis: dict[str, Any] = {"labelAngle": 0, "grid": False, "labelOverlap": "greedy", "labelLimit": 160}
    if column.is_number:
        axis["format"] = ".3~p" if column.share else ".3~g"
    return {
        "type": "ordinal" if column.is_number else "nominal",
        **order(column, is_reversed=is_up and column.is_number),
        "title": column.title,
        "axis": axis,
    }


def _shade(scale: str, middle: float | None, height: int, *, spelt: str) -> dict[str, Any]:
    shade: dict[str, Any] = {"type": scale, "range": list(VIRIDIS)}
    if middle is not None:
        shade = {"type": scale, "range": list(DIVERGING), "domainMid": middle}
    legend = {"orient": "right", "gradientLength": min(height, 180), "format": spelt}
    return {"type": "quantitative", "scale": shade, "legend": legend}


def _coarse(x: Column, y: Column, values: Column) -> tuple[Column, Column, Column, str]:
    """A grid of more than `CELLS` cells at every k-th place of both axes."""
    across, up = x.array.sizes.get(x.dim, 1), y.array.sizes.get(y.dim, 1)
    step = 1
    while -(-across // step) * -(-up // step) > CELLS:
        step += 1
    if step == 1:
        return x, y, values, ""
    chosen = {dim: slice(None, None, step) for dim in (x.dim, y.dim) if dim}
    x, y, values = (
        column.over(column.array.isel(chosen, missing_dims="ignore")) for column in (x, y, values)
    )
    x, y = _relevelled(x, step), _relevelled(y, step)
    return x, y, values, f"One of {step} places along {x.title} and {y.title} is drawn."


def _relevelled(column: Column, step: int) -> Column:
    return replace(column, levels=column.levels[::step])
