"""Rows of a figure as Vega-Lite takes them, few enough to draw."""

from __future__ import annotations

import math
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from gendsl_runtime.problem import Problem

DIGITS = 6
"""Significant digits of drawn numbers; the data files hold all."""


def data(frame: pd.DataFrame) -> alt.InlineData:
    """The rows inline, numbers rounded for display, missing ones as null."""
    columns = {str(name): _plain(series) for name, series in frame.items()}
    rows = [dict(zip(columns, row)) for row in zip(*columns.values())]
    return alt.InlineData(values=rows)


def _plain(series: pd.Series) -> list[Any]:
    values = series.to_numpy()
    if values.dtype.kind in "iub":
        return [int(value) for value in values]
    if values.dtype.kind == "f":
        return [_rounded(float(value)) for value in values]
    return [None if value is None else str(value) for value in values]


def _rounded(value: float) -> float | int | None:
    if not math.isfinite(value):
        return None
    rounded = float(f"{value:.{DIGITS}g}")
    return int(rounded) if rounded.is_integer() and abs(rounded) < 2**53 else rounded


def present(frame: pd.DataFrame, *columns: str, positive: tuple[str, ...] = ()) -> tuple[pd.DataFrame, str]:
    """The rows that can be drawn, and a note on those that cannot.

    A row goes where one of `columns` has no finite value, or one of `positive` (log scales) is not above 0.

    Raises:
        Problem: `bad-data` where nothing is left.
    """
    finite = np.ones(len(frame), dtype=bool)
    for name in columns:
        if frame[name].dtype.kind == "f":
            finite &= np.isfinite(frame[name].to_numpy())
    above = np.ones(len(frame), dtype=bool)
    for name in positive:
        above &= ~(frame[name].to_numpy() <= 0)
    notes = []
    if missing := int((~finite).sum()):
        notes.append(f"{missing:,} of {len(frame):,} points have no value and are left out.")
    if hidden := int((finite & ~above).sum()):
        notes.append(
            f"{hidden:,} of {len(frame):,} points are not above zero and cannot stand on a log scale."
        )
    if len(frame) and not (finite & above).any():
        raise Problem("bad-data", f"nothing to draw: {notes[0]}", help="see the tables for what is there")
    return frame[finite & above], " ".join(notes)


def thinned(frame: pd.DataFrame, *, limit: int) -> tuple[pd.DataFrame, str]:
    """At most `limit` rows, drawn at random with a fixed seed, and a note that says so."""
    if len(frame) <= limit:
        return frame, ""
    rows = np.sort(np.random.default_rng(0).choice(len(frame), size=limit, replace=False))
    return frame.iloc[rows], f"{limit:,} of {len(frame):,} points are drawn, chosen at random."
