"""Figures as files: Vega-Lite JSON with its data, SVG, PNG and PDF, made without a browser."""

from __future__ import annotations

import json
import re
import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import vl_convert

from gendsl_runtime.chart.style import STATIC
from gendsl_runtime.draft import write_whole

FORMATS = ("json", "svg", "png", "pdf")
SCALE = 2.0
"""PNG pixels for each pixel of the figure."""
PNG = b"\x89PNG\r\n\x1a\n"
"""How every PNG begins (ISO/IEC 15948, 5.2); chunks follow: length, kind, content, check sum."""
LEVEL = 6
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]")


def write_figure(chart: Mapping[str, Any], folder: Path, name: str) -> list[Path]:
    """Writes `NAME.json`, `.svg`, `.png` and `.pdf` into the folder; the chart is Vega-Lite."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for ending, content in encoded(chart, FORMATS).items():
        path = folder / f"{stem(name)}.{ending}"
        write_whole(path, content)
        paths.append(path)
    return paths


def encoded(chart: Mapping[str, Any], endings: Sequence[str], *, scale: float = SCALE) -> dict[str, bytes]:
    """The contents of a figure's files by their endings; the chart is Vega-Lite.

    Raises:
        ValueError: Vega-Lite cannot draw it.
    """
    whole = {**chart, "config": STATIC}
    # No figure may load anything: its data and pictures are inside.
    svg = vl_convert.vegalite_to_svg(whole, allowed_base_urls=[]) if set(endings) - {"json"} else ""
    make: dict[str, Callable[[], bytes]] = {
        "json": lambda: json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode(),
        "svg": svg.encode,
        "png": lambda: packed(vl_convert.svg_to_png(svg, scale=scale)),
        "pdf": lambda: vl_convert.svg_to_pdf(svg),
    }
    return {ending: make[ending]() for ending in endings}


def packed(png: bytes) -> bytes:
    """The same picture in a third of the bytes or less: vl-convert packs its pixels in haste."""
    chunks, place = [], len(PNG)
    while place < len(png):
        size, kind = struct.unpack_from(">I4s", png, place)
        chunks.append((kind, png[place + 8 : place + 8 + size]))
        place += 12 + size
    pixels = zlib.decompress(b"".join(content for kind, content in chunks if kind == b"IDAT"))
    (*head, end) = [(kind, content) for kind, content in chunks if kind != b"IDAT"]
    return PNG + b"".join(_chunk(*one) for one in (*head, (b"IDAT", zlib.compress(pixels, LEVEL)), end))


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def stem(name: str) -> str:
    """The name of a figure as that of a file."""
    return _UNSAFE.sub("_", name)
