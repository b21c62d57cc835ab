"""Pictures of numbers: a grid as an indexed PNG, small enough to put into a figure."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Sequence

import numpy as np

from gendsl_runtime.chart.style import blended


def ramp(anchors: Sequence[str], count: int = 255) -> list[str]:
    """`count` colours at equal steps along the anchors."""
    return [blended(anchors, i * (len(anchors) - 1) / (count - 1)) for i in range(count)]


def picture(grid: np.ndarray, *, low: float, high: float, colours: Sequence[str]) -> str:
    """A grid `(rows, columns)`, first row on top, as a `data:` URL of a PNG.

    Values from `low` to `high` take the colours in order; missing ones are transparent.
    """
    span = (high - low) or 1.0
    share = np.clip((grid.astype(np.float64) - low) / span, 0, 1)
    codes = np.where(np.isnan(share), 0, 1 + np.round(np.nan_to_num(share) * (len(colours) - 1)))
    palette = bytes(3) + b"".join(bytes.fromhex(colour[1:]) for colour in colours)
    rows, columns = grid.shape
    lines = np.zeros((rows, columns + 1), dtype=np.uint8)
    lines[:, 1:] = codes
    content = (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", struct.pack(">IIBBBBB", columns, rows, 8, 3, 0, 0, 0))
        + _chunk(b"PLTE", palette)
        + _chunk(b"tRNS", b"\x00")
        + _chunk(b"IDAT", zlib.compress(lines.tobytes(), 9))
        + _chunk(b"IEND", b"")
    )
    return "data:image/png;base64," + base64.b64encode(content).decode("ascii")


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
