"""Figures as files: Vega-Lite JSON with its data, SVG, PNG and PDF, made without a browser."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import vl_convert

from gendsl_runtime.chart.style import STATIC
from gendsl_runtime.draft import write_whole

SCALE = 2.0
"""PNG pixels for each pixel of the figure."""
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]")


def write_figure(chart: Mapping[str, Any], folder: Path, name: str) -> list[Path]:
    """Writes `NAME.json`, `.svg`, `.png` and `.pdf` into the folder; the chart is Vega-Lite."""
    folder.mkdir(parents=True, exist_ok=True)
    whole = {**chart, "config": STATIC}
    # No figure may load anything: its data and pictures are inside.
    svg = vl_convert.vegalite_to_svg(whole, allowed_base_urls=[])
    contents: dict[str, bytes] = {
        "json": json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode(),
        "svg": svg.encode(),
        "png": vl_convert.svg_to_png(svg, scale=SCALE),
        "pdf": vl_convert.svg_to_pdf(svg),
    }
    stem = _UNSAFE.sub("_", name)
    paths = []
    for ending, content in contents.items():
        path = folder / f"{stem}.{ending}"
        write_whole(path, content)
        paths.append(path)
    return paths
