"""The text of a spec in pieces, each with what it is, for colours."""

from __future__ import annotations

from gendsl.highlight import tokens
from gendsl.source import Source

Piece = tuple[str, str]
"""A class (empty for plain text) and the text."""


def pieces(text: str) -> list[Piece]:
    """The whole text, cut at the places that `gendsl.highlight` names."""
    found: list[Piece] = []
    at = 0
    for span, kind in tokens(Source(text, "spec")):
        if span.start > at:
            found.append(("", text[at : span.start]))
        plain = kind in ("name", "operator")
        found.append(("" if plain else kind, text[span.start : span.end]))
        at = span.end
    if at < len(text):
        found.append(("", text[at:]))
    return found
