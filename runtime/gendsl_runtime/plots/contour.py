"""A quantity over two numbers, as heights with lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import altair as alt
import numpy as np
import pandas as pd
from scipy.interpolate import RegularGridInterpolator

from gendsl_runtime.chart.contours import heights_between, segments
from gendsl_runtime.chart.panels import legend, middle, raster, side
from gendsl_runtime.chart.raster import picture, ramp
from gendsl_runtime.chart.records import data
from gendsl_runtime.chart.style import VIRIDIS, drawn
from gendsl_runtime.chart.table import Column, Table
from gendsl_runtime.component import Count, Values, plot
from gendsl_runtime.problem import Problem

FINE = 160
"""Pixels of a picture along each side: the grid, interpolated linearly."""
COARSE = 60
"""Grid points along each side that lines are found on, at most."""
PANELS = 24
"""Panels drawn at most."""
WIDE, PANEL = 440, 260
"""Pixels of the only panel, and of one of several."""


@plot(version=1)
def contour(
    table: Table,
    *,
    x: Values,
    y: Values,
    color: Values,
    facet: Values | None = None,
    levels: Count = 10,
    scale: Literal["linear", "log"] = "linear",
    x_scale: Literal["linear", "log"] = "linear",
    y_scale: Literal["linear", "log"] = "linear",
) -> Any:
    """A quantity over two axes of numbers as a landscape with lines of equal height, such as a loss surface.

    Between the points of the grid it is linear; its mean is over seeds and over every axis that nothing else
    mentions.

    Args:
        x: an axis of numbers.
        y: an axis of numbers.
        color: the quantity.
        facet: an axis with a panel for each label.
        levels: about how many lines; their heights are round, or of equal ratios where `scale=log`.
        scale: how the quantity goes from dark to light.
        x_scale, y_scale: how numbers are laid out along each side.
    """
    across, up = _places(x, "x", x_scale), _places(y, "y", y_scale)
    panels, notes = _grids(table, color, x, y, facet)
    heights = np.stack([grid for _, grid in panels])
    heights = np.where(heights > 0, heights, np.nan) if scale == "log" else heights
    finite = heights[np.isfinite(heights)]
    if not finite.size:
        raise Problem("bad-data", "nothing to draw: no height can be shown", help="see the tables")
    ends = float(finite.min()), float(finite.max())
    lines = heights_between(*ends, levels, is_log=scale == "log")
    drawing = _Drawing(x, y, color, across, up, lines, ends, x_scale, y_scale, scale == "log")
    size = WIDE if len(panels) == 1 else PANEL
    shown = [drawing.panel(title, grid, size) for (title, _), grid in zip(panels, heights)]
    spelt = color.format if color.share else ""
    bar = legend(color.title, ends, ramp(VIRIDIS), scale=scale, spelt=spelt)
    said = ", ".join(color.said(float(f"{line:.4g}")) for line in lines)
    missing = int(np.isnan(heights).sum())
    left_out = f"{missing:,} of {heights.size:,} places have no height and are left white." if missing else ""
    return (alt.concat(*shown, columns=2, spacing=18) & bar).properties(
        description=f"Contours of {color.title} over {x.title} and {y.title}.",
        usermeta={
            "notes": [text for text in (*notes, f"Lines at {said}." if lines else "", left_out) if text]
        },
    )


@dataclass(frozen=True)
class _Drawing:
    """What all panels share; `across` and `up` are places on paper, logarithms where the side is so."""

    x: Column
    y: Column
    color: Column
    across: np.ndarray
    up: np.ndarray
    lines: list[float]
    ends: tuple[float, float]
    x_scale: Literal["linear", "log"]
    y_scale: Literal["linear", "log"]
    is_log: bool

    def panel(self, title: str, heights: np.ndarray, size: int) -> Any:
        """A picture cut into steps at the lines, the lines, and the heights they stand for as tooltips."""
        values, ends = (np.log(heights), np.log(self.ends)) if self.is_log else (heights, np.array(self.ends))
        fine = _resampled(values, self.across, self.up, FINE)[2]
        url = picture(fine[::-1], low=float(ends[0]), high=float(ends[1]), colours=ramp(VIRIDIS))
        span_x, span_y = self._span(self.across, self.x_scale), self._span(self.up, self.y_scale)
        channels = {
            "x": side(self.x.title, span_x, is_shown=True, scale=self.x_scale, spelt=self._spelt(self.x)),
            "y": side(self.y.title, span_y, is_shown=True, scale=self.y_scale, spelt=self._spelt(self.y)),
        }
        row = {"x": middle(span_x, self.x_scale), "y": middle(span_y, self.y_scale), "url": url}
        layers = [raster([row], channels, width=size, height=size, is_smooth=True)]
        if rows := self._rows(values):
            layers.append(self._lines(rows, channels))
        name = alt.TitleParams(title, fontWeight="normal", fontSize=12)
        return alt.layer(*layers).properties(width=size, height=size, title=name)

    def _lines(self, rows: list[dict[str, Any]], channels: dict[str, Any]) -> alt.Chart:
        encoding = {name: {"field": name, **channel} for name, channel in channels.items()}
        encoding |= {"x2": {"field": "x2"}, "y2": {"field": "y2"}}
        tip = {"field": "height", "title": self.color.title, "type": "quantitative"}
        encoding["tooltip"] = {**tip, "format": self.color.format}
        mark = {"type": "rule", "strokeWidth": 1, "color": "white", "opacity": 0.75, "strokeCap": "round"}
        return drawn(mark, encoding, data(pd.DataFrame(rows)))

    def _rows(self, values: np.ndarray) -> list[dict[str, Any]]:
        """The pieces of every line, in the units of the sides."""
        across, up, grid = _resampled(values, self.across, self.up, COARSE)
        rows = []
        for line in self.lines:
            for piece in segments(grid, across, up, np.log(line) if self.is_log else line):
                x, y, x2, y2 = map(float, piece)
                ends = {"x": x, "x2": x2}, {"y": y, "y2": y2}
                placed = [
                    {name: 10**one if scale == "log" else one for name, one in pair.items()}
                    for pair, scale in zip(ends, (self.x_scale, self.y_scale))
                ]
                rows.append({**placed[0], **placed[1], "height": line})
        return rows

    @staticmethod
    def _span(places: np.ndarray, scale: str) -> tuple[float, float]:
        low, high = float(places[0]), float(places[-1])
        return (10**low, 10**high) if scale == "log" else (low, high)

    @staticmethod
    def _spelt(column: Column) -> str:
        return column.format if column.share else ""


def _places(column: Column, name: str, scale: str) -> np.ndarray:
    """Where the labels of an axis lie on paper, ascending.

    Raises:
        Problem: `not-a-grid`: it is no axis of at least two numbers, or not all are above 0 on a log scale.
    """
    labels = np.asarray(column.levels if column.is_number else (), dtype=np.float64)
    if not column.dim or len(labels) < 2 or (scale == "log" and labels[0] <= 0):
        above = ", all above 0" if scale == "log" else ""
        raise Problem(
            "not-a-grid",
            f"`{name}` of a contour is an axis of at least two numbers{above}; {column.title} is none",
            help="use `heatmap`",
        )
    return np.log10(labels) if scale == "log" else labels


def _grids(
    table: Table, color: Column, x: Column, y: Column, facet: Column | None
) -> tuple[list[tuple[str, np.ndarray]], list[str]]:
    """Title and heights `(y, x)` of each panel, both ascending.

    Raises:
        Problem: `not-a-grid`: the heights do not lie along both axes.
    """
    if x.dim == y.dim or not {x.dim, y.dim} <= set(color.array.dims):
        raise Problem(
            "not-a-grid",
            f"a contour needs heights along two axes; {color.title} has no grid of {x.title} and {y.title}",
            help="use `line`",
        )
    kept = {column.dim for column in (x, y, facet) if column is not None}
    others = [dim for dim in color.array.dims if dim not in kept]
    array = color.array.astype(np.float64).mean(others).transpose(..., y.dim, x.dim).sortby([y.dim, x.dim])
    notes = [f"Heights are means over {' and '.join(map(str, others))}."] if others else []
    if facet is None or facet.dim not in array.dims:
        return [("", array.values)], notes
    labels = facet.array.values.tolist()
    panels = [
        (facet.said(label), array.isel({facet.dim: place}).values) for place, label in enumerate(labels)
    ]
    if len(panels) > PANELS:
        notes.append(f"{PANELS} of {len(panels)} panels are drawn.")
    return panels[:PANELS], notes


def _resampled(
    values: np.ndarray, across: np.ndarray, up: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The grid at `count` even places along each side, linear between its points."""
    x, y = np.linspace(across[0], across[-1], count), np.linspace(up[0], up[-1], count)
    wanted = np.stack(np.meshgrid(y, x, indexing="ij"), axis=-1)
    return x, y, RegularGridInterpolator((up, across), values)(wanted)
