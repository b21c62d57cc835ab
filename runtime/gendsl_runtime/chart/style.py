"""How figures look: colours safe for colour-blind readers, axes with titles, one size.

Text, grid and background carry no colours of their own: the report's style sheet gives them, so that one
figure serves a light page, a dark one and paper. Files beside the report get `STATIC`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

import altair as alt
import numpy as np

from gendsl_runtime.chart.slider import sliding, with_slider
from gendsl_runtime.chart.table import Column

Scale = Literal["linear", "log"]

WIDTH, HEIGHT = 560, 300
FACET_WIDTH, FACET_HEIGHT = 250, 210

# Okabe and Ito (2008) without black and yellow, which vanish on a dark and on a light page, and a grey.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8A8A8A")
# Viridis (Smith and van der Walt 2015) at 0.28 ... 0.80: ordered in lightness, visible on both pages.
ORDERED = ("#39568C", "#2D708E", "#238A8D", "#20A387", "#3CBB75", "#73D055")
VIRIDIS = ("#440154", "#482878", "#3E4A89", "#31688E", "#26828E", "#1F9E89", "#35B779", "#6DCD59", "#B4DE2C")
# Blue to vermilion through light grey: for values on both sides of a midpoint.
DIVERGING = (
    "#00537F",
    "#2F86BC",
    "#8FBEDD",
    "#DDE6EC",
    "#F3F1EC",
    "#F3DCCB",
    "#EDA871",
    "#D9691F",
    "#9C4000",
)
SHORT = 0.4
"""Decades below which a log scale is nearly even, and is labelled as if it were."""
STEPS = ((1.0, (1, 2, 3, 5, 7)), (2.2, (1, 2, 5)), (3.2, (1, 3)), (math.inf, (1,)))
"""Ticks within a power of ten, by how many decades there are at most."""
MOST_DECADES = 7
INK = "#333333"
"""Lines and letters that the page recolours."""
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-right")
DASHES = ((1, 0), (6, 2), (2, 2), (8, 2, 2, 2), (4, 4), (1, 3), (10, 3))

STATIC: dict[str, Any] = {
    "background": "white",
    "font": "Liberation Sans, Helvetica, Arial, sans-serif",
    "view": {"stroke": None},
    "axis": {
        "domainColor": "#444",
        "gridColor": "#e4e4e4",
        "labelColor": "#333",
        "labelFontSize": 11,
        "tickColor": "#444",
        "titleColor": "#111",
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "titlePadding": 8,
    },
    "header": {"labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal"},
    "legend": {"labelFontSize": 11, "titleFontSize": 12, "titleFontWeight": "normal", "symbolStrokeWidth": 2},
}
"""Vega-Lite configuration for figures on paper."""


def axis(column: Column, *, scale: Scale = "linear", zero: bool = False) -> dict[str, Any]:
    """Type, scale, axis and title of a position channel.

    Few numbers of an axis are its ticks; names are placed in the order of the axis.
    """
    if not column.is_number:
        return {
            "type": "nominal",
            **order(column),
            "title": column.title,
            "axis": {"labelAngle": 0, "grid": False, "labelLimit": 160},
        }
    ticks: dict[str, Any] = {"grid": True, "tickCount": 6, "labelOverlap": "greedy", "labelSeparation": 8}
    if column.levels and len(column.levels) <= 12:
        ticks = {"grid": True, "values": list(column.levels), "labelOverlap": "greedy", "labelSeparation": 4}
    if column.share:
        ticks["format"] = column.format
    if scale == "log" and "values" not in ticks:
        ticks |= decades(column.array.values)
    # On a log scale, round ends are whole powers of ten, which leave most of a figure empty.
    is_round = not column.levels and scale == "linear"
    limits: dict[str, Any] = {"nice": is_round, "padding": 0 if is_round else 10}
    return {
        "type": "quantitative",
        "scale": {"type": scale, **limits, **({"zero": zero} if scale == "linear" else {})},
        "title": column.title,
        "axis": ticks,
    }


def decades(values: np.ndarray) -> dict[str, Any]:
    """Ticks of a log scale: whole powers of ten, and round steps between them where there are few.

    By default there is a line for every unit of each power, and labels that happen to have room: often not those of
    the powers. Ticks outside the scale are not drawn, so they may reach further than the data.
    """
    above = values[np.isfinite(values) & (values > 0)] if values.dtype.kind in "iuf" else values[:0]
    if not above.size:
        return {}
    first, last = math.floor(math.log10(above.min())), math.ceil(math.log10(above.max()))
    width = math.log10(above.max() / above.min())
    if width < SHORT:
        return {}
    between = next(steps for most, steps in STEPS if width <= most)
    stride = math.ceil(width / MOST_DECADES)
    powers = range(first - 1, last + 2) if stride == 1 else range(first // stride * stride, last + 1, stride)
    return {"values": [float(f"{step}e{power}") for power in powers for step in between]}


def colour(column: Column | None) -> dict[str, Any] | None:
    """Encoding of the colour channel: names in distinct hues, ordered numbers from dark to light."""
    if column is None:
        return None
    legend = _legend(column)
    if column.is_number and not column.levels:
        return {"type": "quantitative", "scale": {"range": list(ORDERED)}, "legend": legend}
    order: list[Any] = list(column.levels)
    if column.is_number:
        scale = {"domain": order, "range": _shades(len(order))}
        return {"type": "ordinal", "scale": scale, "legend": legend}
    return {
        "type": "nominal",
        "scale": {"domain": order, "range": [PALETTE[i % len(PALETTE)] for i in range(len(order))]},
        "legend": legend,
    }


def order(column: Column, *, is_reversed: bool = False) -> dict[str, Any]:
    """Scale of a channel that places the labels of an axis side by side, in their order.

    The order is the scale's domain, which is data; a `sort` would put the labels into an expression.
    """
    levels = [level if column.is_number else str(level) for level in column.levels]
    return {"scale": {"domain": levels[::-1] if is_reversed else levels}, "sort": None}


def is_discrete(column: Column | None) -> bool:
    """Whether a column tells series apart, rather than being a measured number."""
    return column is not None and (bool(column.levels) or not column.is_number)


def marked(column: Column | None, marks: Sequence[Any]) -> dict[str, Any] | None:
    """A second channel (dashes, shapes) that tells few names apart without colour."""
    if column is None or not 1 < len(column.levels) <= (2 if column.is_number else len(marks)):
        return None
    order = list(column.levels)
    scale = {"domain": order, "range": list(marks[: len(order)])}
    return {"type": "nominal", "scale": scale, "legend": _legend(column)}


def _legend(column: Column) -> dict[str, Any]:
    """Above the figure, so that it takes nothing of its width."""
    place = {"orient": "top", "direction": "horizontal", "offset": 6, "columns": 6}
    spelt = {"format": column.format} if column.share and column.is_number else {}
    return {**place, "title": column.title, "symbolOpacity": 1, **spelt}


def drawn(
    mark: dict[str, Any], encoding: dict[str, Any], rows: alt.InlineData | None = None, **properties: Any
) -> alt.Chart:
    """One layer from its mark and channels, as Vega-Lite writes them."""
    content: dict[str, Any] = {
        "mark": alt.MarkDef.from_dict(mark, validate=False),
        "encoding": alt.FacetedEncoding.from_dict(encoding, validate=False),
        "data": alt.Undefined if rows is None else rows,
    }
    return alt.Chart(**content, **properties)


def _shades(count: int) -> list[str]:
    """Colours at equal steps along the ordered ramp; one or two numbers are told apart like names."""
    if count <= 2:
        return list(PALETTE[:count])
    places = [i * (len(ORDERED) - 1) / (count - 1) for i in range(count)]
    return [blended(ORDERED, place) for place in places]


def blended(anchors: Sequence[str], place: float) -> str:
    """The colour at a place between anchors, linear in sRGB: 1.5 is halfway from the second to the third."""
    index = min(int(place), len(anchors) - 2)
    share = place - index
    pairs = [(int(anchors[index][k : k + 2], 16), int(anchors[index + 1][k : k + 2], 16)) for k in (1, 3, 5)]
    return "#" + "".join(f"{round(a + share * (b - a)):02X}" for a, b in pairs)


def finished(
    chart: alt.Chart | alt.LayerChart | alt.FacetChart,
    facet: Column | None,
    *,
    notes: Sequence[str] = (),
    description: str,
    height: int = HEIGHT,
    slider: Column | None = None,
) -> Any:
    """The figure in its size, split into facets where asked; `notes` are printed under its caption."""
    meta: dict[str, Any] = {"notes": [note for note in notes if note]}
    chart = sliding(chart, slider)
    if facet is None:
        whole = chart.properties(width=WIDTH, height=height, description=description, usermeta=meta)
        return with_slider(whole, slider)
    panels = max(1, len(facet.levels))
    spelt: dict[str, Any] = {"format": facet.format} if facet.share and facet.is_number else {}
    meta |= {"panels": panels}
    header = alt.Header(title=facet.title, labelFontSize=12, titlePadding=4, **spelt)
    whole = chart.properties(width=FACET_WIDTH, height=FACET_HEIGHT).facet(
        alt.Facet(
            "facet",
            type="nominal" if not facet.is_number else "ordinal",
            header=header,
            sort="ascending" if facet.is_number else _in_order(chart, facet),
        ),
        columns=min(panels, 3 if panels != 4 else 2),
    )
    return with_slider(whole.properties(description=description, usermeta=meta), slider)


def _in_order(chart: Any, facet: Column) -> Any:
    """Panels in the order of their axis. The rows say it: without, Vega-Lite takes that of the alphabet."""
    places = {str(level): place for place, level in enumerate(facet.levels)}
    if not isinstance(chart.data, alt.InlineData) or sorted(places) == list(places):
        return None
    chart.data.values = [{**row, "panel": places[row["facet"]]} for row in chart.data.values]
    return alt.EncodingSortField(field="panel", op="min", order="ascending")
