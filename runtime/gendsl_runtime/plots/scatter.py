"""Points, one for each result."""

from __future__ import annotations

from typing import Any, Literal

from gendsl_runtime.chart.records import data, present, thinned
from gendsl_runtime.chart.slider import stepped
from gendsl_runtime.chart.style import PALETTE, SHAPES, axis, colour, drawn, finished, is_discrete, marked
from gendsl_runtime.chart.table import Column, Table
from gendsl_runtime.component import Values, plot

POINTS = 3000
"""Points drawn at most."""


@plot(version=1)
def scatter(
    table: Table,
    *,
    x: Values,
    y: Values,
    color: Values | None = None,
    facet: Values | None = None,
    slider: Values | None = None,
    x_scale: Literal["linear", "log"] = "linear",
    y_scale: Literal["linear", "log"] = "linear",
) -> Any:
    """One quantity against another, one point for each coordinate of their axes, seeds included.

    Args:
        x: an axis, or a quantity.
        y: a quantity.
        color: an axis (a hue and a shape for each label) or a quantity (from dark to light).
        facet: an axis with a panel for each label.
        slider: an axis that the reader moves along, such as epochs; at most 30 places of it.
        x_scale, y_scale: how numbers are laid out along each side.
    """
    slider, sliding = stepped(slider)
    frame = table.frame(x=x, y=y, color=color, facet=facet, slide=slider)
    frame, missing = present(
        frame, "x", "y", positive=(*("x",) * (x_scale == "log"), *("y",) * (y_scale == "log"))
    )
    frame, thinning = thinned(frame.drop(columns="detail"), limit=POINTS)
    encoding: dict[str, Any] = {
        "x": {"field": "x", **axis(x, scale=x_scale)},
        "y": {"field": "y", **axis(y, scale=y_scale)},
        "tooltip": [_shown("x", x), _shown("y", y), *([_shown("color", color)] if color else [])],
    }
    if color is not None:
        encoding["color"] = {"field": "color", **(colour(color) or {})}
        if shapes := marked(color, SHAPES):
            encoding["shape"] = {"field": "color", **shapes}
    mark = {"type": "point", "size": 46, "filled": True, "opacity": 0.75, "strokeWidth": 0}
    chart = drawn(mark if color else {**mark, "color": PALETTE[0]}, encoding, data(frame))
    by = f", by {color.title}" if color else ""
    return finished(
        chart,
        facet,
        notes=[sliding, thinning, missing],
        slider=slider,
        description=f"{len(frame):,} points of {y.title} against {x.title}{by}.",
    )


def _shown(field: str, column: Column) -> dict[str, Any]:
    if is_discrete(column) and not (column.share and column.is_number):
        return {"field": field, "title": column.title, "type": "nominal"}
    return {"field": field, "title": column.title, "type": "quantitative", "format": column.format}
