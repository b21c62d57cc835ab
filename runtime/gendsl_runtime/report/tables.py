"""Results as tables of the report: means over seeds with their intervals, and every value."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from gendsl import spec
from gendsl_runtime.chart.interval import mean_interval
from gendsl_runtime.claims.evaluate import replicate_axis
from gendsl_runtime.report.shares import quantity_kind, share_axes
from gendsl_runtime.report.words import number
from gendsl_runtime.results import Results

ROWS = 300
"""Rows printed of one table."""
LEVEL = 0.95


@dataclass(frozen=True)
class Cell:
    """What is printed, and the whole value (for sorting and for CSV)."""

    text: str
    value: str
    is_number: bool = False


@dataclass(frozen=True)
class Sheet:
    """One table."""

    title: str
    name: str
    """For the CSV file."""
    columns: tuple[tuple[str, bool], ...]
    """Heading, and whether its values are numbers."""
    rows: tuple[tuple[Cell, ...], ...]
    axes: int
    """How many columns, the first ones, are axes."""
    total: int
    """Rows there would be if all were printed."""


@dataclass(frozen=True)
class Block:
    """The tables of one analysis."""

    name: str
    component: str
    caption: str
    sheets: tuple[Sheet, ...]
    curves: tuple[str, ...]
    """What is known of quantities with axes of their own, in a sentence each."""


def blocks(results: Results, *, limit: int = ROWS) -> list[Block]:
    """A block for each analysis, in the order of the file, with at most `limit` rows a table."""
    seed = replicate_axis(results.spec)
    return [_block(name, dataset, results, seed, limit) for name, dataset in results.items()]


def _block(name: str, dataset: xr.Dataset, results: Results, seed: str | None, limit: int) -> Block:
    step = results.spec.steps[name]
    own = {str(key): [str(d) for d in v.dims if d not in step.axes] for key, v in dataset.data_vars.items()}
    scalars = dataset[[key for key, axes in own.items() if not axes]]
    sheets = []
    if scalars.data_vars:
        scalars = _marked(scalars, step, results)
        if seed in scalars.dims and scalars.sizes[seed] > 1:
            sheets.append(means(name, scalars, str(seed), limit=limit))
        sheets.append(values(name, scalars, limit=limit))
    for axes, part in _by_names(dataset, own).items():
        marked, file = _marked(part, step, results), ".".join([name, *axes])
        if seed in part.dims and part.sizes[seed] > 1:
            sheets.append(means(file, marked, str(seed), limit=limit))
        else:
            sheets.append(values(file, marked, limit=limit))
    curves = tuple(
        _said(key, dataset[key], axes, ".".join([name, *axes, "parquet"]))
        for key, axes in own.items()
        if axes
    )
    return Block(name, step.component, step.caption, tuple(sheets), curves)


def _by_names(dataset: xr.Dataset, own: Mapping[str, Sequence[str]]) -> dict[tuple[str, ...], xr.Dataset]:
    """The quantities whose own axes have names along them, such as layers, by these axes."""
    found: dict[tuple[str, ...], list[str]] = {}
    for key, axes in own.items():
        if axes and all(dataset[axis].dtype.kind == "U" for axis in axes):
            found.setdefault(tuple(axes), []).append(key)
    return {axes: dataset[keys] for axes, keys in found.items()}


def _marked(dataset: xr.Dataset, step: spec.Step, results: Results) -> xr.Dataset:
    """A copy whose shares say that they are."""
    marked = dataset.copy()
    for key in marked.data_vars:
        marked[key].attrs["share"] = quantity_kind(step, str(key))
    for axis in share_axes(results.spec) & set(map(str, marked.dims)):
        marked[axis].attrs["share"] = "share"
    return marked


def means(name: str, dataset: xr.Dataset, seed: str, *, limit: int = ROWS) -> Sheet:
    """Means over seeds, each with half the width of Student's 95% interval."""
    columns: list[tuple[str, bool]] = []
    arrays: list[xr.DataArray] = []
    count = dataset.sizes[seed]
    for key, variable in dataset.data_vars.items():
        interval = mean_interval(variable, over=seed, level=LEVEL)
        columns += [_heading(str(key), variable), (f"± {key}", True)]
        pair = (interval.centre, (interval.high - interval.low) / 2)
        arrays += [one.assign_attrs(share=variable.attrs.get("share", "")) for one in pair]
    left = [str(dim) for dim in dataset.dims if dim != seed]
    heads, rows, total = _rows(dataset, left, arrays, limit)
    title = f"Means over {count} seeds ± half the {100 * LEVEL:.4g}% t interval"
    return Sheet(title, f"{name}-means", (*heads, *columns), rows, len(heads), total)


def values(name: str, dataset: xr.Dataset, *, limit: int = ROWS) -> Sheet:
    """Every value, one row for each coordinate."""
    columns = [_heading(str(key), variable) for key, variable in dataset.data_vars.items()]
    heads, rows, total = _rows(dataset, list(map(str, dataset.dims)), list(dataset.data_vars.values()), limit)
    return Sheet("Every value", name, (*heads, *columns), rows, len(heads), total)


def _heading(key: str, variable: xr.DataArray) -> tuple[str, bool]:
    unit = str(variable.attrs.get("unit", ""))
    return (f"{key} ({unit})" if unit not in ("", "1", key) else key), True


def _rows(
    dataset: xr.Dataset, dims: Sequence[str], arrays: Sequence[xr.DataArray], limit: int
) -> tuple[list[tuple[str, bool]], tuple[tuple[Cell, ...], ...], int]:
    """Headings of the axes, rows in C order over them (no more than `limit`), and how many there are."""
    labels = [dataset[dim].values for dim in dims]
    shape = tuple(len(label) for label in labels)
    total = math.prod(shape)
    percent = [bool(dataset[dim].attrs.get("share")) for dim in dims]
    percent += [bool(array.attrs.get("share")) for array in arrays]
    flat = [
        np.broadcast_to(array.transpose(*[d for d in dims if d in array.dims]).values, shape).reshape(-1)
        for array in arrays
    ]
    rows = []
    for row in range(min(total, limit)):
        places = np.unravel_index(row, shape) if shape else ()
        found = [*(label[int(place)] for label, place in zip(labels, places)), *(one[row] for one in flat)]
        rows.append(tuple(_cell(value, is_share=share) for value, share in zip(found, percent)))
    return [(dim, label.dtype.kind in "iuf") for dim, label in zip(dims, labels)], tuple(rows), total


def _cell(value: Any, *, is_share: bool = False) -> Cell:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        if math.isnan(value):
            return Cell("–", "", is_number=True)
        # Spelt so that both JavaScript and Python read it.
        text = repr(value).replace("inf", "Infinity")
        shown = number(100 * value) + "%" if is_share and math.isfinite(value) else number(value)
        return Cell(shown, text, is_number=True)
    if isinstance(value, int) and not isinstance(value, bool):
        return Cell(f"{value:,}" if abs(value) >= 10_000 else str(value), str(value), is_number=True)
    return Cell(str(value), str(value))


def _said(key: str, array: xr.DataArray, axes: Sequence[str], file: str) -> str:
    over = " and ".join(f"{array.sizes[axis]:,} places along {axis}" for axis in axes)
    finite = array.values[np.isfinite(array.values)] if array.dtype.kind == "f" else array.values.reshape(-1)
    if not finite.size:
        return f"{key}: no values, {over}; in {file}."
    unit = str(array.attrs.get("unit", ""))
    unit = f" {unit}" if unit not in ("", "1") else ""
    ends = f"{number(float(finite.min()))} to {number(float(finite.max()))}{unit}"
    return f"{key}: {ends}, {over}; all {array.size:,} values are in {file}."
