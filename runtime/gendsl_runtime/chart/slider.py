"""An axis that the reader moves along: rows of one of its places are shown at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import altair as alt
import numpy as np

from gendsl_runtime.chart.table import Column

STEPS = 30
"""Places of a slider at most."""
CHOSEN = "datum.slide === slide"


def stepped(slider: Column | None) -> tuple[Column | None, str]:
    """The axis at no more than `STEPS` of its places, evenly spread, ends included, and a note on it."""
    if slider is None:
        return None, ""
    note = f"The slider goes along {slider.title}; files and paper show its last place."
    if len(slider.levels) <= STEPS or not slider.dim:
        return slider, note
    chosen = np.unique(np.round(np.linspace(0, len(slider.levels) - 1, STEPS)).astype(np.int64))
    array = slider.array.isel({slider.dim: chosen})
    kept = set(array.values.tolist())
    levels = tuple(level for level in slider.levels if level in kept)
    said = f"{note} {len(chosen)} of {len(slider.levels):,} places are kept."
    return replace(slider, array=array, levels=levels), said


def sliding(chart: Any, slider: Column | None) -> Any:
    """The chart at one place of the slider. No label enters the expression: rows hold places as numbers."""
    if slider is None:
        return chart
    return chart.transform_filter(CHOSEN)


def with_slider(whole: Any, slider: Column | None) -> Any:
    """The whole figure with the slider's place as a parameter, and its labels for the page."""
    if slider is None:
        return whole
    labels = [slider.said(level) for level in slider.levels]
    meta = {**whole.usermeta, "slider": {"title": slider.title, "labels": labels}}
    place = alt.param(name="slide", value=len(labels) - 1)
    return whole.add_params(place).properties(usermeta=meta)


def steadied(content: dict[str, Any]) -> dict[str, Any]:
    """Vega-Lite whose sides keep their ends while the slider moves; unchanged where there is no slider."""
    if "slider" not in content.get("usermeta", {}):
        return content
    rows = [row for dataset in content.get("datasets", {}).values() for row in dataset]
    for encoding in _encodings(content):
        for name in ("x", "y", "color"):
            channel = encoding.get(name, {})
            scale = channel.get("scale", {})
            if channel.get("type") != "quantitative" or "field" not in channel or "domain" in scale:
                continue
            fields = {channel["field"], *_partners(encoding, name), *({"y"} if name == "y" else ())}
            numbers = [
                row[field] for row in rows for field in fields if isinstance(row.get(field), int | float)
            ]
            if numbers:
                low = 0 if scale.get("zero") and min(numbers) > 0 else min(numbers)
                channel["scale"] = {**scale, "domain": [low, max(numbers)]}
    return content


def _partners(encoding: dict[str, Any], name: str) -> Iterator[str]:
    partner = encoding.get(f"{name}2", {})
    if "field" in partner:
        yield partner["field"]


def _encodings(content: Any) -> Iterator[dict[str, Any]]:
    for key in ("layer", "hconcat", "vconcat", "concat"):
        for part in content.get(key, ()):
            yield from _encodings(part)
    if isinstance(content.get("spec"), dict):
        yield from _encodings(content["spec"])
    if "encoding" in content:
        yield content["encoding"]
