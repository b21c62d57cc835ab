"""A PNG packed again is the same picture."""

from __future__ import annotations

import struct
import zlib

import vl_convert

from gendsl_runtime.report.files import packed

SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30"><circle cx="9" cy="9" r="7" fill="red"/></svg>'


def chunks(png: bytes) -> dict[bytes, bytes]:
    """The chunks by their kinds, those of pixels as one; every check sum is right."""
    found: dict[bytes, bytes] = {}
    place = 8
    while place < len(png):
        size, kind = struct.unpack_from(">I4s", png, place)
        content = png[place + 8 : place + 8 + size]
        assert struct.unpack_from(">I", png, place + 8 + size) == (zlib.crc32(kind + content),)
        found[kind] = found.get(kind, b"") + content
        place += 12 + size
    return found


def test_pixels_and_all_else_stay() -> None:
    made = vl_convert.svg_to_png(SVG, scale=8)
    again = packed(made)
    before, after = chunks(made), chunks(again)
    assert again[:8] == made[:8] and list(after) == list(before)
    assert zlib.decompress(after.pop(b"IDAT")) == zlib.decompress(before.pop(b"IDAT"))
    assert after == before
    assert len(again) < 0.7 * len(made)
    assert packed(again) == again
