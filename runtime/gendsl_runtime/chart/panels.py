"""Panels whose background is a picture, and the colour bar below them."""

from __future__ import annotations

import math
from typing import Any

import altair as alt
import numpy as np

from gendsl_runtime.chart.raster import picture
from gendsl_runtime.chart.style import Scale, drawn

Span = tuple[float, float]


def side(
    title: str, span: Span, *, is_shown: bool, scale: Scale = "linear", ticks: int = 5, spelt: str = ""
) -> dict[str, Any]:
    """A channel from one end of `span` to the other, with or without its axis."""
    axis = {"grid": False, "tickCount": ticks, **({"format": spelt} if spelt else {})}
    limits = {"type": scale, "domain": list(span), "nice": False}
    limits |= {"zero": False} if scale == "linear" else {}
    return {"type": "quantitative", "scale": limits, "axis": axis if is_shown else None, "title": title}


def middle(span: Span, scale: Scale = "linear") -> float:
    """The place halfway on paper."""
    return math.sqrt(span[0] * span[1]) if scale == "log" else (span[0] + span[1]) / 2


def raster(
    rows: list[dict[str, Any]], channels: dict[str, Any], *, width: int, height: int, is_smooth: bool = False
) -> alt.Chart:
    """Pictures (`url`) in their places; cells sharp unless they are many."""
    mark = {"type": "image", "width": width, "height": height, "aspect": False, "smooth": is_smooth}
    encoding = {name: {"field": name, **channel} for name, channel in channels.items()}
    encoding["url"] = {"field": "url", "type": "nominal"}
    return drawn(mark, encoding, alt.InlineData(values=rows), width=width, height=height)


def legend(
    title: str, ends: Span, shades: list[str], *, scale: Scale = "linear", spelt: str = ""
) -> alt.Chart:
    """A colour bar, drawn as a chart of its own: the pictures themselves carry no scale."""
    low, high = ends if ends[1] > ends[0] else (ends[0], ends[0] + 1)
    strip = picture(np.linspace(0, 1, 256)[None, :], low=0.0, high=1.0, colours=shades)
    across = side(title, (low, high), is_shown=True, scale=scale, ticks=4, spelt=spelt)
    row = {"x": middle((low, high), scale), "url": strip}
    return raster([row], {"x": across}, width=180, height=9)
