"""Boxes over seeds, with every seed as a point."""

from __future__ import annotations

from typing import Any, Literal

import altair as alt
import numpy as np
import pandas as pd

from gendsl_runtime.chart.records import data, present, thinned
from gendsl_runtime.chart.style import INK, PALETTE, axis, colour, drawn, finished, is_discrete, order
from gendsl_runtime.chart.table import Column, Table
from gendsl_runtime.component import Flag, Values, plot
from gendsl_runtime.problem import Problem

POINTS = 2000
"""Points drawn at most."""
FEWEST = 5
"""Values from which on a box is drawn; fewer are points alone."""


@plot(version=1, paper="tukey1977exploratory")
def box(
    table: Table,
    *,
    x: Values,
    y: Values,
    color: Values | None = None,
    facet: Values | None = None,
    boxes: Flag = True,
    y_scale: Literal["linear", "log"] = "linear",
) -> Any:
    """How a quantity is spread over the seeds: quartiles with whiskers, and each value as a point.

    A box reaches from the first to the third quartile, its line is the median, whiskers reach to the last value
    within 1.5 times the box (Tukey 1977). Values of every axis that nothing mentions are in one box. Groups of
    fewer than 5 values have points and no box.

    Args:
        x: an axis: one group for each label.
        y: the quantity.
        color: an axis: boxes side by side in each group.
        facet: an axis with a panel for each label.
        boxes: `false` for the points alone.
        y_scale: how numbers are laid out upwards.
    """
    if not is_discrete(x):
        raise Problem(
            "missing-axis",
            f"`x` of a box is an axis; {x.title} is measured",
            help="`scatter` draws one quantity against another",
        )
    frame, missing = present(
        table.frame(x=x, y=y, color=color, facet=facet), "y", positive=("y",) * (y_scale == "log")
    )
    keys = [name for name in ("x", "color", "facet") if name in frame]
    summary = _summaries(frame, keys) if boxes else pd.DataFrame()
    points, thinning = thinned(frame.drop(columns="detail"), limit=POINTS)
    whole = pd.concat([summary.assign(kind="box"), points.assign(kind="point")]) if len(summary) else points
    chart = _layers(x, y, color, y_scale, has_boxes=len(summary) > 0)
    chart.data = data(whole)
    others = [
        str(dim)
        for dim, length in y.array.sizes.items()
        if length > 1 and dim not in {c.dim for c in (x, color, facet) if c is not None}
    ]
    said = f"Points are single values over {_listed(others)}." if others else ""
    what = "Boxes: quartiles and median, whiskers to 1.5 box lengths." if len(summary) else ""
    if boxes and not len(summary):
        what = f"Fewer than {FEWEST} values in each group: no boxes."
    return finished(
        chart,
        facet,
        notes=[said, what, thinning, missing],
        description=f"Spread of {y.title} for each {x.title}.",
    )


def _listed(names: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _summaries(frame: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Quartiles and whiskers of each group that has enough values."""
    found = []
    for labels, group in frame.groupby(keys, sort=False):
        values = np.sort(group["y"].to_numpy(dtype=np.float64))
        if len(values) < FEWEST:
            continue
        first, median, third = np.quantile(values, (0.25, 0.5, 0.75))
        reach = 1.5 * (third - first)
        inside = values[(values >= first - reach) & (values <= third + reach)]
        numbers = {"low": inside[0], "q1": first, "median": median, "q3": third, "high": inside[-1]}
        found.append({**dict(zip(keys, labels)), **numbers, "values": len(values)})
    return pd.DataFrame(found)


def _layers(x: Column, y: Column, color: Column | None, y_scale: Any, *, has_boxes: bool) -> Any:
    spelt = {"format": x.format} if x.share and x.is_number else {}
    across: dict[str, Any] = {
        "field": "x",
        "type": "ordinal" if x.is_number else "nominal",
        "title": x.title,
        **order(x),
        "axis": {"labelAngle": 0, "grid": False, "labelLimit": 160, **spelt},
    }
    place: dict[str, Any] = {"x": across}
    tinted = dict(place)
    plain = {} if color else {"color": PALETTE[0]}
    wide = {"band": 1 if color else 0.7}
    if color is not None:
        # Room between boxes is that of the scale: a width in bands would be taken of the wrong one.
        gaps = {"paddingInner": 0.3, "paddingOuter": 0.15}
        beside = order(color)
        beside["scale"] |= gaps
        place["xOffset"] = {"field": "color", "type": "nominal", **beside}
        tinted = {**place, "color": {"field": "color", **(colour(color) or {})}}
    up = {**axis(y, scale=y_scale)}
    tip = [{"field": "y", "title": y.title, "type": "quantitative", "format": y.format}]
    dots = {"type": "point", "size": 20, "filled": True, "opacity": 0.55, **plain}
    layers = [drawn(dots, {**tinted, "y": {"field": "y", **up}, "tooltip": tip})]
    if has_boxes:
        tips = [
            {"field": name, "title": name, "type": "quantitative", "format": y.format}
            for name in ("low", "q1", "median", "q3", "high")
        ]
        tips.append({"field": "values", "title": "values", "type": "quantitative"})
        bar = {"type": "bar", "opacity": 0.3, "width": wide, **plain}
        layers = [
            drawn(
                {"type": "rule", "color": INK, "strokeWidth": 1.2},
                {**place, "y": {"field": "low", **up}, "y2": {"field": "high"}},
            ),
            drawn(bar, {**tinted, "y": {"field": "q1", **up}, "y2": {"field": "q3"}, "tooltip": tips}),
            *layers,
            drawn(
                {"type": "tick", "color": INK, "thickness": 2, "width": wide},
                {**place, "y": {"field": "median", **up}},
            ),
        ]
    return alt.layer(*layers)
