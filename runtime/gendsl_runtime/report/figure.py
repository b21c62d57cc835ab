"""From a plot of the spec to its chart: result expressions become columns, the plot component draws them."""

from __future__ import annotations

import unicodedata
from typing import Any

import altair as alt
import numpy as np
import xarray as xr

from gendsl import spec
from gendsl_runtime.arguments import plain
from gendsl_runtime.chart.table import Column, Table
from gendsl_runtime.claims.evaluate import coordinate, evaluate, replicate_axis
from gendsl_runtime.components import catalogue, load
from gendsl_runtime.report.words import title
from gendsl_runtime.results import Results, axis_coordinates


def figure(plot: spec.Plot, results: Results) -> alt.TopLevelMixin:
    """The chart of one plot.

    Raises:
        Problem: the plot cannot draw what it is given.
    """
    parameters = catalogue().components["plot", plot.component].parameters
    arguments: dict[str, Any] = {}
    for name, value in plot.arguments.items():
        parameter = parameters[name]
        is_column = parameter.type.name == "Values"
        arguments[parameter.python] = column(value, results) if is_column else plain(value, name)
    draw = load("plot", plot.component)
    chart: alt.TopLevelMixin = draw(Table(replicate_axis(results.spec)), **arguments)
    return chart


def column(value: spec.Value, results: Results) -> Column | None:
    """A result expression as a column; None for `none`."""
    if isinstance(value, spec.Nothing):
        return None
    name = printable(title(value, results.spec))
    if isinstance(value, spec.Coordinate):
        labels = _labels(value, results)
        return Column(labels, name, levels=_levels(labels), dim=value.axis)
    return Column(evaluate(value, results), name)


def _labels(value: spec.Coordinate, results: Results) -> xr.DataArray:
    """The labels of an axis along it: numbers where they are numbers, else text."""
    axis = results.spec.axes.get(value.axis)
    if axis is None:
        return coordinate(value, results)
    coordinates = axis_coordinates(axis)
    name = axis.name if value.part is None else axis.parts[value.part]
    index = coordinates[axis.name][1]
    texts = coordinates[name][1]
    if texts.dtype.kind == "U":
        texts = np.array([printable(text) for text in texts])
    return xr.DataArray(texts, dims=(axis.name,), coords={axis.name: index})


def printable(text: str) -> str:
    """The text without control characters and line separators.

    Vega-Lite quotes labels in the expressions it makes, but its parser takes U+2028 and U+2029 for line ends.
    """
    return "".join(" " if unicodedata.category(letter) in ("Cc", "Zl", "Zp") else letter for letter in text)


def _levels(labels: xr.DataArray) -> tuple[str | float, ...]:
    values = labels.values.tolist()
    distinct = dict.fromkeys(values)
    return tuple(sorted(distinct)) if labels.dtype.kind in "iuf" else tuple(distinct)


def notes(chart: alt.TopLevelMixin) -> list[str]:
    """What a plot says about its own drawing: what the bands are, what was left out."""
    meta = getattr(chart, "usermeta", None)
    said = meta.get("notes", []) if isinstance(meta, dict) else []
    return [str(note) for note in said]
