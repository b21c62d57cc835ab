"""Sizes, durations and ages as people read and write them."""

from __future__ import annotations

import argparse
import re
import time

DAY = 86_400.0
SPANS = {"m": 60.0, "h": 3600.0, "d": DAY, "w": 7 * DAY}


def size(count: float) -> str:
    """Bytes: `812 B`, `3.4 MB`, `1.2 GB`."""
    if count < 1000:
        return f"{count:.0f} B"
    for unit in ("kB", "MB", "GB"):
        count /= 1000
        if count < 999.5:
            return f"{count:.3g} {unit}"
    return f"{count / 1000:,.3g} TB"


def duration(seconds: float) -> str:
    """Seconds: `8.1 ms`, `41 s`, `3.5 min`, `12 h`, `9 d`."""
    spans = ((0.1, "ms", 1e-3), (99.5, "s", 1.0), (99.5 * 60, "min", 60.0), (2 * DAY, "h", 3600.0))
    for limit, unit, divisor in spans:
        if seconds < limit:
            return f"{seconds / divisor:.2g} {unit}"
    return f"{seconds / DAY:,.0f} d"


def age(then: float) -> str:
    """How long ago a time was: `now`, `3 h ago`. A time to come, of a clock that was set back since, was now."""
    seconds = time.time() - then
    return f"{duration(seconds)} ago" if seconds >= 60 else "now"


def span(text: str) -> float:
    """Seconds from `30d`, `12h`, `90m` or `4w`, as an argument."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([mhdw])", text.strip())
    if found is None:
        raise argparse.ArgumentTypeError(f"takes a time such as 30d, 12h or 4w; found `{text}`")
    return float(found[1]) * SPANS[found[2]]
