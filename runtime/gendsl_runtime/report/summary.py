"""What a figure shows, in words and numbers: for those who hear it instead of seeing it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import xarray as xr

from gendsl_runtime.chart.table import Column
from gendsl_runtime.report.words import number

SERIES = 8
"""Series told one by one at most."""


def summary(columns: Mapping[str, Column], replicates: str | None) -> str:
    """A few sentences on the quantities of a figure: ends and extremes of each series, as means over seeds.

    Args:
        columns: the columns of the plot by the name of its parameter.
        replicates: the axis of seeds.
    """
    by = [columns[name] for name in ("color", "facet") if name in columns and columns[name].dim]
    along = next((columns[name] for name in ("x", "y") if name in columns and columns[name].dim), None)
    said = []
    for column in columns.values():
        if column.dim or column.array.dtype.kind not in "iuf":
            continue
        array = column.array.astype(np.float64)
        if replicates in array.dims:
            array = array.mean(replicates)
        said.append(" ".join(_sentences(column.over(array), along, by)))
    return " ".join(said)


def _sentences(column: Column, along: Column | None, by: list[Column]) -> Iterator[str]:
    """One for each series; the range over all of them where they are many or none."""
    array = column.array
    other = next((one for one in by if one.dim in array.dims), None)
    labels = array[other.dim].values.tolist() if other is not None else []
    if other is None or not 1 < len(labels) <= SERIES:
        yield f"{column.title}: {_course(column, along)}."
        return
    names = _names(other, labels)
    yield f"{column.title} by {other.title}:"
    parts = (column.over(array.isel({other.dim: place})) for place in range(len(labels)))
    yield "; ".join(f"{name}: {_course(part, along)}" for name, part in zip(names, parts)) + "."


def _names(axis: Column, labels: list[object]) -> list[str]:
    """Labels of an axis as the figure spells them."""
    known = axis.array.values.tolist()
    return [axis.said(one) for one in (known if len(known) == len(labels) else labels)]


def _course(column: Column, along: Column | None) -> str:
    """From the first to the last place of an axis, with the range; the range alone where there is no axis."""
    values = column.array.values
    finite = values[np.isfinite(values)]
    if not finite.size:
        return "no values"
    ends = f"{_said(column, float(finite.min()))} to {_said(column, float(finite.max()))}"
    if along is None or along.dim not in column.array.dims or column.array.sizes[along.dim] < 2:
        return ends if finite.size > 1 else _said(column, float(finite[0]))
    rest = [dim for dim in column.array.dims if dim != along.dim]
    curve: xr.DataArray = column.array.mean(rest)
    names = _names(along, curve[along.dim].values.tolist())
    there = np.flatnonzero(np.isfinite(curve.values))
    first, last = (int(there[place]) for place in (0, -1))
    course = " and ".join(
        f"{_said(column, float(curve.values[place]))} at {along.title} {names[place]}"
        for place in (first, last)
    )
    return f"{course}, within {ends}"


def _said(column: Column, value: float) -> str:
    return f"{number(100 * value)}%" if column.share else number(value)
