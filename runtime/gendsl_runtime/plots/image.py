"""Grids of numbers as pictures."""

from __future__ import annotations

from typing import Any, Literal

import altair as alt
import numpy as np
import xarray as xr

from gendsl_runtime.chart.panels import legend, middle, raster, side
from gendsl_runtime.chart.raster import picture, ramp
from gendsl_runtime.chart.records import data, present, thinned
from gendsl_runtime.chart.slider import CHOSEN, stepped, with_slider
from gendsl_runtime.chart.style import DIVERGING, PALETTE, VIRIDIS, blended, colour, drawn
from gendsl_runtime.chart.table import Column, Table
from gendsl_runtime.component import Count, Real, Values, plot
from gendsl_runtime.problem import Problem

PANELS = 64
"""Panels drawn at most."""
FEW = {1: 320, 2: 290, 3: 200}
"""Pixels of a panel's longer side, by the number of panels."""
SIDE, SMALL = 230, 104
"""The same of more panels; of pictures (not planes) from `SEVERAL` on."""
SEVERAL = 5
PALER = 0.5
"""How far towards white a picture is drawn below points that have its colours."""
COLOURS = {"diverging": DIVERGING, "viridis": VIRIDIS, "grey": ("#FFFFFF", "#000000")}


@plot(version=1)
def image(
    table: Table,
    value: Values,
    *,
    facet: Values | None = None,
    slider: Values | None = None,
    x: Values | None = None,
    y: Values | None = None,
    color: Values | None = None,
    low: Real | None = None,
    high: Real | None = None,
    columns: Count | None = None,
    colors: Literal["diverging", "viridis", "grey"] = "diverging",
) -> Any:
    """A quantity over a grid as a picture: a decision boundary over the plane, digits, kernels.

    The grid's axes are those called `y` and `x`, else `row` and `column`, else the last two of the quantity.
    Every further axis has a panel for each label (its mean over seeds where seeds are left).

    Args:
        value: the quantity over a grid.
        facet: an axis with a panel for each label.
        slider: an axis that the reader moves along, such as epochs; at most 30 places of it.
        x: first coordinate of points drawn on top, such as those trained on.
        y: second coordinate of the points.
        color: what tells the points apart: an axis by hues; a quantity by the colours of the picture itself, which
            is drawn paler: a point stands out where the picture does not say what it should.
        low, high: values of the first and the last colour; by default the lowest and the highest there is, or
            equally far from 0 where `diverging` colours show values on both sides of it.
        columns: panels in a row.
        colors: from blue through light grey to vermilion, from dark to light, or from white to black.
    """
    slider, sliding = stepped(slider)
    array = value.array
    if slider is not None and slider.dim in array.dims:
        array = array.sel({slider.dim: slider.array[slider.dim].values})
    note = ""
    if table.has_replicates(value) and not table.has_replicates(facet):
        note = f"Pictures are means over {array.sizes[table.replicates]} {table.replicates}s."
        array = array.mean(str(table.replicates))
    down, across = _grid(array)
    along = slider.dim if slider is not None else ""
    others = [dim for dim in array.dims if dim not in (down, across, along)]
    panels, skipped = _panels(array, facet, [str(dim) for dim in others])
    panels, empty = _filled(panels)
    ends = _ends(array, low, high, is_diverging=colors == "diverging")
    shades = ramp(COLOURS[colors])
    on_top, missing = _points(table, x, y, color, facet)
    inks = _inks(color, ends, shades)
    if on_top and _is_measured(color):
        shades = [blended((shade, "#FFFFFF"), PALER) for shade in shades]
    is_small = len(panels) >= SEVERAL and array[down].dtype.kind != "f"
    size = SMALL if is_small else FEW.get(len(panels), SIDE)
    drawn = [
        _panel(title, grid.transpose(..., down, across), ends, shades, on_top, inks, size)
        for title, grid in panels
    ]
    wide = columns or {1: 1, 2: 2, 4: 2}.get(len(drawn), 6 if is_small else 3)
    whole = alt.concat(*drawn, columns=wide, spacing=18) & legend(
        value.title, ends, shades, spelt=value.format if value.share else ""
    )
    whole = whole.properties(
        description=f"Pictures of {value.title} over {down} and {across}.",
        usermeta={"notes": [text for text in (note, sliding, skipped, empty, missing) if text]},
    )
    return with_slider(whole, slider)


def _grid(array: xr.DataArray) -> tuple[str, str]:
    """The axes downwards and across."""
    dims = [str(dim) for dim in array.dims]
    for pair in (("y", "x"), ("row", "column")):
        if set(pair) <= set(dims):
            return pair
    if len(dims) < 2:
        raise Problem(
            "not-a-grid",
            f"`image` draws a quantity over two axes; this one has {', '.join(dims) or 'none'}",
            help="use `line` or `bar`",
        )
    return dims[-2], dims[-1]


def _panels(
    array: xr.DataArray, facet: Column | None, others: list[str]
) -> tuple[list[tuple[str, xr.DataArray]], str]:
    """Each panel's title and grid, in the order of the axes."""
    if not others:
        return [("", array)], ""
    stacked = array.stack(panel=others, create_index=False)
    texts = [
        np.asarray(array[dim].values if dim in array.coords else np.arange(array.sizes[dim]))
        for dim in others
    ]
    shown = (
        {}
        if facet is None
        else dict(zip(facet.array[facet.dim].values.tolist(), facet.array.values.tolist()))
    )
    titles = [
        ", ".join(
            _said(facet, shown.get(one, one)) if facet is not None and dim == facet.dim else f"{dim} {one}"
            for dim, one in zip(others, labels)
        )
        for labels in _product(texts)
    ]
    panels = [(title, stacked.isel(panel=place)) for place, title in enumerate(titles[:PANELS])]
    skipped = f"{PANELS} of {len(titles):,} pictures are drawn." if len(titles) > PANELS else ""
    return panels, skipped


def _said(facet: Column, label: object) -> str:
    """A label as a panel's title: names speak for themselves, `true` and numbers do not."""
    text = facet.said(label)
    return f"{facet.title} {text}" if facet.is_number or text in ("true", "false") else text


def _filled(panels: list[tuple[str, xr.DataArray]]) -> tuple[list[tuple[str, xr.DataArray]], str]:
    """The panels with a value somewhere, and a note on the others, such as those of runs that failed."""
    found = [panel for panel in panels if panel[1].notnull().any()]
    if not found:
        raise Problem(
            "bad-data", "nothing to draw: no picture has a value", help="see the tables for what is there"
        )
    lost = len(panels) - len(found)
    return found, f"{lost} of {len(panels)} pictures have no value and are left out." if lost else ""


def _product(texts: list[np.ndarray]) -> list[tuple[Any, ...]]:
    grids = np.meshgrid(*[np.arange(len(labels)) for labels in texts], indexing="ij")
    return [
        tuple(labels[int(place)] for labels, place in zip(texts, places))
        for places in zip(*[grid.ravel() for grid in grids])
    ]


def _ends(
    array: xr.DataArray, low: float | None, high: float | None, *, is_diverging: bool
) -> tuple[float, float]:
    finite = array.values[np.isfinite(array.values)]
    least, most = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    if is_diverging and low is None and high is None and least < 0 < most:
        most = max(-least, most)
        least = -most
    return (least if low is None else low), (most if high is None else high)


def _panel(
    title: str,
    grid: xr.DataArray,
    ends: tuple[float, float],
    shades: list[str],
    on_top: dict[str, Any],
    inks: dict[str, Any],
    size: int,
) -> Any:
    down, across = map(str, grid.dims[-2:])
    # Members that lie on grids of their own share the union of their labels: what is missing is no part of it.
    grid = grid.dropna(down, how="all").dropna(across, how="all")
    low_y, high_y = _extent(grid[down].values)
    low_x, high_x = _extent(grid[across].values)
    # Coordinates of a plane grow upwards; rows of a picture are counted downwards.
    is_plane = grid[down].dtype.kind == "f"
    values = grid.values.reshape(-1, *grid.shape[-2:])
    values = values[:, ::-1] if is_plane else values
    urls = [picture(one, low=ends[0], high=ends[1], colours=shades) for one in values]
    ratio = (high_y - low_y) / (high_x - low_x) if not is_plane else 1.0
    width, height = (size, round(size * ratio)) if ratio <= 1 else (round(size / ratio), size)
    channels = {
        "x": side(across, (low_x, high_x), is_shown=is_plane),
        "y": side(down, (low_y, high_y) if is_plane else (high_y, low_y), is_shown=is_plane),
    }
    place = {"x": middle((low_x, high_x)), "y": middle((low_y, high_y))}
    rows = [{**place, "url": url, "slide": k} for k, url in enumerate(urls)]
    base = raster(rows, channels, width=width, height=height)
    layers = [base.transform_filter(CHOSEN) if len(rows) > 1 else base]
    if on_top:
        layers.append(_dots(on_top, title, channels, inks))
    name = alt.TitleParams(title, fontWeight="normal", fontSize=12)
    return alt.layer(*layers).properties(width=width, height=height, title=name)


def _extent(labels: np.ndarray) -> tuple[float, float]:
    """From half a cell before the first label to half a cell behind the last."""
    if labels.dtype.kind not in "iuf" or len(labels) < 2:
        return -0.5, len(labels) - 0.5
    half = float(labels[-1] - labels[0]) / (len(labels) - 1) / 2
    return float(labels[0]) - half, float(labels[-1]) + half


def _points(
    table: Table, x: Column | None, y: Column | None, color: Column | None, facet: Column | None
) -> tuple[dict[str, Any], str]:
    """Rows of the points on top by panel (all panels share them where they have no facet).

    Where runs have different numbers of points, those that are nowhere are none and not missing.
    """
    if x is None or y is None:
        return {}, ""
    follows = facet if facet is not None and facet.dim in (*x.array.dims, *y.array.dims) else None
    frame = table.frame(x=x, y=y, color=color, facet=follows)
    frame, missing = present(frame.dropna(subset=["x", "y"], how="all"), "x", "y")
    if follows is None:
        few, thinning = thinned(frame, limit=500)
        return {"": few}, " ".join(filter(None, (thinning, missing)))
    parts = {
        _said(follows, label): thinned(part, limit=500) for label, part in frame.groupby("facet", sort=False)
    }
    notes = dict.fromkeys(thinning for _, thinning in parts.values())
    return {label: part for label, (part, _) in parts.items()}, " ".join(filter(None, (*notes, missing)))


def _inks(color: Column | None, ends: tuple[float, float], shades: list[str]) -> dict[str, Any]:
    """The colour channel of the points; measured numbers take the colours of the picture, whose legend serves both."""
    if color is None:
        return {}
    if not _is_measured(color):
        return {"color": {"field": "color", **(colour(color) or {})}}
    scale = {"domain": list(ends), "range": shades, "clamp": True}
    return {"color": {"field": "color", "type": "quantitative", "scale": scale, "legend": None}}


def _is_measured(color: Column | None) -> bool:
    return color is not None and not color.levels and color.is_number


def _dots(on_top: dict[str, Any], title: str, channels: dict[str, Any], inks: dict[str, Any]) -> alt.Chart:
    frame = on_top[title] if title in on_top else next(iter(on_top.values()))
    mark = {
        "type": "point",
        "size": 22,
        "filled": True,
        "opacity": 1,
        "stroke": "white",
        "strokeWidth": 0.8,
        "clip": True,
    }
    encoding = {name: {"field": name, **channel} for name, channel in channels.items()}
    rows = data(frame.drop(columns="detail"))
    return drawn(mark if inks else {**mark, "color": PALETTE[0]}, {**encoding, **inks}, rows)
