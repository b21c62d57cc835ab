"""How often values occur."""

from __future__ import annotations

from typing import Any, Literal

import altair as alt
import numpy as np
import pandas as pd

from gendsl_runtime.chart.records import data, present
from gendsl_runtime.chart.slider import stepped
from gendsl_runtime.chart.style import PALETTE, axis, colour, drawn, finished
from gendsl_runtime.chart.table import Table
from gendsl_runtime.component import Count, Values, plot


@plot(version=1)
def histogram(
    table: Table,
    x: Values,
    *,
    color: Values | None = None,
    facet: Values | None = None,
    slider: Values | None = None,
    bins: Count | None = None,
    x_scale: Literal["linear", "log"] = "linear",
) -> Any:
    """How the values of a quantity are spread: shares of them in bins of equal width, for each colour.

    All axes are pooled, seeds included; shares of each colour and panel add up to 1. Without `bins` their
    number is the cube root of the number of values, doubled (Rice's rule), from 5 to 80.

    Args:
        x: the quantity.
        color: an axis that tells histograms apart.
        facet: an axis with a panel for each label.
        slider: an axis that the reader moves along, such as epochs; at most 30 places of it.
        bins: number of bins.
        x_scale: bins of equal width, or of equal ratio.
    """
    slider, sliding = stepped(slider)
    is_log = x_scale == "log"
    frame, missing = present(
        table.frame(x=x, color=color, facet=facet, slide=slider), "x", positive=("x",) if is_log else ()
    )
    edges = _edges(frame["x"].to_numpy(dtype=np.float64), bins, is_log=is_log)
    shares = _shares(frame, edges, [name for name in ("color", "facet", "slide") if name in frame])
    encoding: dict[str, Any] = {
        "x": {"field": "low", **axis(x, scale=x_scale)},
        "x2": {"field": "high"},
        "y": {
            "field": "share",
            "type": "quantitative",
            "title": "share of values",
            "axis": {"tickCount": 5, "format": ".4~p"},
        },
        "y2": {"datum": 0},
        "tooltip": [
            {"field": "low", "title": f"{x.title} from", "type": "quantitative", "format": x.format},
            {"field": "high", "title": "to", "type": "quantitative", "format": x.format},
            {"field": "share", "title": "share", "type": "quantitative", "format": ".3~p"},
            {"field": "count", "title": "values", "type": "quantitative"},
        ],
    }
    if color is not None:
        encoding["color"] = {"field": "color", **(colour(color) or {})}
    chart = _bars(encoding, data(shares), is_tinted=color is not None)
    return finished(
        chart,
        facet,
        notes=[f"{len(frame):,} values in {len(edges) - 1} bins.", sliding, missing],
        slider=slider,
        description=f"Histogram of {x.title}.",
    )


def _bars(encoding: dict[str, Any], rows: alt.InlineData, *, is_tinted: bool) -> Any:
    """Bars; of several colours light ones under the full tops of all, so that none is lost behind another."""
    if not is_tinted:
        return drawn({"type": "rect", "opacity": 0.85, "color": PALETTE[0]}, encoding, rows)
    top = {key: encoding[key] for key in ("x", "x2", "y", "color", "tooltip")}
    chart = alt.layer(
        drawn({"type": "rect", "opacity": 0.35}, encoding), drawn({"type": "rule", "strokeWidth": 2.5}, top)
    )
    chart.data = rows
    return chart


def _edges(values: np.ndarray, bins: int | None, *, is_log: bool) -> np.ndarray:
    number = bins or int(np.clip(np.ceil(2 * np.cbrt(max(len(values), 1))), 5, 80))
    if not len(values):
        return np.linspace(0, 1, number + 1)
    low, high = float(values.min()), float(values.max())
    if is_log:
        return np.geomspace(low, high if high > low else low * 1.01, number + 1)
    return np.linspace(low, high, number + 1) if high > low else low + np.linspace(-0.5, 0.5, number + 1)


def _shares(frame: pd.DataFrame, edges: np.ndarray, by: list[str]) -> pd.DataFrame:
    groups = frame.groupby(by, sort=False) if by else [((), frame)]
    parts = []
    for labels, group in groups:
        counts = np.histogram(group["x"], edges)[0]
        part = pd.DataFrame(
            {"low": edges[:-1], "high": edges[1:], "share": counts / max(counts.sum(), 1), "count": counts}
        )
        parts.append(part.assign(**dict(zip(by, labels)))[counts > 0])
    return pd.concat(parts) if parts else pd.DataFrame({"low": [], "high": [], "share": [], "count": []})
