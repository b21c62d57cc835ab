"""The Parquet tables of a run inside its page, so that one file is enough."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

LIMIT = 750_000
"""Bytes of all tables in a page, a quarter of what a page should weigh; in base64 they take a third more."""


@dataclass(frozen=True)
class Attached:
    """One Parquet file; `content` is its base64, empty where it is too large for the page."""

    name: str
    analysis: str
    size: str
    content: str


def attached(folder: Path, analyses: Iterable[str]) -> list[Attached]:
    """The tables of these analyses in the folder of the run: the small ones whole, until `LIMIT` is reached."""
    known = set(analyses)
    files = [path for path in sorted(folder.glob("*.parquet")) if path.name.partition(".")[0] in known]
    room, kept = LIMIT, set()
    for path in sorted(files, key=lambda path: path.stat().st_size):
        room -= path.stat().st_size
        if room >= 0:
            kept.add(path)
    return [
        Attached(
            name=path.name,
            analysis=path.name.partition(".")[0],
            size=_size(path.stat().st_size),
            content=base64.b64encode(path.read_bytes()).decode("ascii") if path in kept else "",
        )
        for path in files
    ]


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{max(round(count / 1e3), 1)} kB"
