"""Curves with bands over seeds."""

from __future__ import annotations

from typing import Any, Literal

import altair as alt
import numpy as np

from gendsl_runtime.chart.interval import mean_interval, within
from gendsl_runtime.chart.records import data, present
from gendsl_runtime.chart.slider import stepped
from gendsl_runtime.chart.style import DASHES, PALETTE, axis, colour, drawn, finished, is_discrete, marked
from gendsl_runtime.chart.table import Column, Table
from gendsl_runtime.component import Share, Values, plot

POINTS = 300
"""Points drawn of one curve."""
MARKED = 40
"""Curves of at most this many points show each."""


@plot(version=1)
def line(
    table: Table,
    *,
    x: Values,
    y: Values,
    color: Values | None = None,
    facet: Values | None = None,
    slider: Values | None = None,
    band: Share | None = 0.95,
    x_scale: Literal["linear", "log"] = "linear",
    y_scale: Literal["linear", "log"] = "linear",
) -> Any:
    """Curves of one quantity against another, one for each colour, with a band over the seeds.

    A curve is the mean over seeds and its band Student's interval of that mean, pointwise (of the logarithm
    where `y_scale=log`). With `band=none` every seed is a curve of its own.

    Args:
        x: an axis, or a quantity.
        y: the quantity drawn; axes that neither `x`, `color` nor `facet` mention give curves of their own.
        color: an axis that tells curves apart.
        facet: an axis with a panel for each label.
        slider: an axis that the reader moves along, such as epochs; at most 30 places of it.
        band: confidence of the band.
        x_scale, y_scale: how numbers are laid out along each side.
    """
    slider, sliding = stepped(slider)
    x, y, thinning = _thinned(x, y, is_log=x_scale == "log")
    is_banded = band is not None and table.has_replicates(y) and not table.has_replicates(color, facet)
    ends: dict[str, Any] = {}
    note = ""
    if is_banded:
        seeds, level = str(table.replicates), float(band or 0)
        interval = mean_interval(y.array, over=seeds, level=level, is_log=y_scale == "log")
        interval, cut = within(interval, y.share)
        note = _said(level, int(interval.replicates.max()), is_log=y_scale == "log") + cut
        ends = {"low": interval.low, "high": interval.high, "seeds": interval.replicates}
        y = y.over(interval.centre)
        x = x.over(x.array.mean(seeds)) if table.has_replicates(x) else x
    frame = table.frame(x=x, y=y, color=color, facet=facet, slide=slider, **ends)
    frame, missing = present(
        frame, "x", "y", positive=(*("x",) * (x_scale == "log"), *("y",) * (y_scale == "log"))
    )
    chart = _layers(x, y, color, x_scale, y_scale, is_banded=is_banded, is_marked=_longest(frame) <= MARKED)
    chart.data = data(frame)
    return finished(
        chart,
        facet,
        notes=[note, sliding, thinning, missing],
        slider=slider,
        description=f"Curves of {y.title} against {x.title}" + (f", by {color.title}." if color else "."),
    )


def _layers(
    x: Column,
    y: Column,
    color: Column | None,
    x_scale: Any,
    y_scale: Any,
    *,
    is_banded: bool,
    is_marked: bool,
) -> Any:
    channels: dict[str, Any] = {"x": {"field": "x", **axis(x, scale=x_scale)}, "detail": {"field": "detail"}}
    if color is not None:
        channels["color"] = {"field": "color", **_keyed(colour(color) or {})}
    centre = {"field": "y", **axis(y, scale=y_scale)}
    dashes = marked(color, DASHES)
    tooltip = _tooltip(x, y, color, is_banded=is_banded)
    # Names of an axis, such as layers, come in the order they have; sorting would be that of the alphabet.
    curve = {**channels, "y": centre, **({"order": {"field": "x"}} if x.is_number else {})}
    if dashes is not None:
        curve["strokeDash"] = {"field": "color", **_keyed(dashes)}
    plain = {} if color else {"color": PALETTE[0]}
    dots = {"type": "point", "size": 34, "filled": True, "opacity": 1 if is_marked else 0}
    layers = [
        drawn({"type": "line", "strokeWidth": 2, "strokeJoin": "round", "clip": True, **plain}, curve),
        drawn({**dots, **plain}, {**channels, "y": centre, "tooltip": tooltip}),
    ]
    if is_banded:
        ends = {**channels, "y": {"field": "low", **axis(y, scale=y_scale)}, "y2": {"field": "high"}}
        layers.insert(0, drawn({"type": "area", "opacity": 0.17, "clip": True, **plain}, ends))
    return alt.layer(*layers)


def _keyed(channel: dict[str, Any]) -> dict[str, Any]:
    """With pieces of the lines themselves in the legend, so that their dashes are seen there."""
    return {**channel, "legend": {**channel["legend"], "symbolType": "stroke", "symbolSize": 450}}


def _tooltip(x: Column, y: Column, color: Column | None, *, is_banded: bool) -> list[dict[str, Any]]:
    shown = [("x", x.title, x.is_number, x.format), ("y", y.title, y.is_number, y.format)]
    if color is not None:
        is_number = color.is_number and (bool(color.share) or not is_discrete(color))
        shown.insert(0, ("color", color.title, is_number, color.format))
    if is_banded:
        shown += [
            ("low", "low", True, y.format),
            ("high", "high", True, y.format),
            ("seeds", "seeds", False, ""),
        ]
    return [
        {"field": field, "title": title, "type": "quantitative" if number else "nominal"}
        | ({"format": spelt} if number else {})
        for field, title, number, spelt in shown
    ]


def _thinned(x: Column, y: Column, *, is_log: bool) -> tuple[Column, Column, str]:
    """Every curve at no more than `POINTS` places of the axis along it, evenly spread, ends included."""
    length = x.array.sizes.get(x.dim, 0)
    if length <= POINTS:
        return x, y, ""
    places = np.geomspace(1, length, POINTS) - 1 if is_log else np.linspace(0, length - 1, POINTS)
    chosen = {x.dim: np.unique(np.round(places).astype(np.int64))}
    x = x.over(x.array.isel(chosen))
    y = y.over(y.array.isel(chosen)) if x.dim in y.array.dims else y
    return x, y, f"{len(chosen[x.dim])} of {length:,} places along {x.title} are drawn."


def _longest(frame: Any) -> int:
    return (
        int(frame.groupby([c for c in ("color", "facet", "slide", "detail") if c in frame]).size().max())
        if len(frame)
        else 0
    )


def _said(level: float, seeds: int, *, is_log: bool) -> str:
    if seeds < 2:
        return "One seed: no band."
    centre = "geometric means" if is_log else "means"
    return f"Curves are {centre} over {seeds} seeds, bands {100 * level:.4g}% t intervals."
