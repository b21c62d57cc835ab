"""Bars with intervals over seeds."""

from __future__ import annotations

from typing import Any

import altair as alt

from gendsl_runtime.chart.interval import mean_interval, within
from gendsl_runtime.chart.records import data, present
from gendsl_runtime.chart.slider import stepped
from gendsl_runtime.chart.style import INK, PALETTE, axis, colour, drawn, finished, order
from gendsl_runtime.chart.table import Column, Table
from gendsl_runtime.component import Share, Values, plot

SHOWN = ("x", "color", "y", "low", "high", "seeds")
"""What a tooltip says, in this order."""


@plot(version=1)
def bar(
    table: Table,
    *,
    x: Values,
    y: Values,
    color: Values | None = None,
    facet: Values | None = None,
    slider: Values | None = None,
    band: Share | None = 0.95,
) -> Any:
    """Means over seeds as bars, one for each label, with Student's interval of the mean as a line.

    Args:
        x: an axis: one group of bars for each label.
        y: the quantity; its mean is over seeds and over every axis that nothing else mentions.
        color: an axis: bars side by side in each group.
        facet: an axis with a panel for each label.
        slider: an axis that the reader moves along, such as epochs; at most 30 places of it.
        band: confidence of the interval; `none` for bars alone.
    """
    slider, sliding = stepped(slider)
    mentioned = {column.dim for column in (x, color, facet, slider) if column is not None}
    others = [dim for dim in y.array.dims if dim not in mentioned and dim != table.replicates]
    y = y.over(y.array.mean(others))
    ends: dict[str, Any] = {}
    note = f"Bars are means over {' and '.join(map(str, others))}." if others else ""
    if table.has_replicates(y) and table.replicates not in mentioned:
        interval = mean_interval(y.array, over=str(table.replicates), level=0.95 if band is None else band)
        interval, cut = within(interval, y.share)
        y = y.over(interval.centre)
        count = int(interval.replicates.max())
        note += f" Bars are means over {count} seeds" + (
            f", lines {100 * band:.4g}% t intervals." if band and count > 1 else "."
        )
        note += cut if band else ""
        ends = {"low": interval.low, "high": interval.high, "seeds": interval.replicates} if band else {}
    frame, missing = present(table.frame(x=x, y=y, color=color, facet=facet, slide=slider, **ends), "y")
    chart = _layers(x, y, color, shown=[name for name in SHOWN if name in frame])
    chart.data = data(frame.drop(columns="detail"))
    return finished(
        chart,
        facet,
        notes=[note.strip(), sliding, missing],
        slider=slider,
        description=f"Bars of {y.title} for each {x.title}.",
    )


def _layers(x: Column, y: Column, color: Column | None, *, shown: list[str]) -> Any:
    """Bars, and lines from `low` to `high` where those are there."""
    # Bars stand on names: numbers of an axis are places, not lengths.
    spelt = {"format": x.format} if x.share and x.is_number else {}
    across = {
        "field": "x",
        "type": "ordinal" if x.is_number else "nominal",
        "title": x.title,
        **order(x),
        "axis": {"labelAngle": 0, "grid": False, "labelLimit": 160, **spelt},
    }
    encoding: dict[str, Any] = {"x": across, "y": {"field": "y", **axis(y, zero=True)}}
    if color is not None:
        encoding["color"] = {"field": "color", **(colour(color) or {})}
        encoding["xOffset"] = {"field": "color", "type": "nominal", "sort": list(color.levels)}
    titles = {"x": x.title, "color": color.title if color else "", "y": y.title}
    tooltip = [
        {"field": name, "title": titles.get(name, name), "type": "nominal"}
        | ({"type": "quantitative", "format": y.format} if name in ("y", "low", "high") else {})
        for name in shown
    ]
    mark = {"type": "bar", "opacity": 0.85, "cornerRadiusEnd": 1}
    layers = [drawn(mark if color else {**mark, "color": PALETTE[0]}, {**encoding, "tooltip": tooltip})]
    if "low" in shown:
        spans = {name: channel for name, channel in encoding.items() if name != "color"}
        spans |= {"y": {"field": "low", **axis(y, zero=True)}, "y2": {"field": "high"}}
        layers.append(drawn({"type": "rule", "strokeWidth": 1.5, "color": INK}, spans))
    return alt.layer(*layers)
