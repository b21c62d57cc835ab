"""From a plot of the spec to its chart: result expressions become columns, the plot component draws them."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from typing import Any

import altair as alt
import numpy as np
import xarray as xr

from gendsl import spec
from gendsl_runtime.arguments import plain
from gendsl_runtime.chart.slider import steadied
from gendsl_runtime.chart.table import Column, Table
from gendsl_runtime.claims.evaluate import coordinate, evaluate, replicate_axis
from gendsl_runtime.components import catalogue, load
from gendsl_runtime.report.shares import share_kind
from gendsl_runtime.report.summary import summary
from gendsl_runtime.report.words import title
from gendsl_runtime.results import Results, axis_coordinates

PART = re.compile(r"([A-Za-z]\w*)\.([A-Za-z]\w*)")
"""A part of something declared, such as `digits.test`."""
TURNS = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})
"""Bidirectional classes of marks that turn the direction of what follows."""


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
        let = plot.lets.get(name, "")
        arguments[parameter.python] = column(value, results, let=let) if is_column else plain(value, name)
    columns = [argument for argument in arguments.values() if isinstance(argument, Column)]
    for name, argument in arguments.items():
        if isinstance(argument, Column) and _is_own(argument.dim, results):
            arguments[name] = _met(argument, columns)
    draw = load("plot", plot.component)
    replicates = replicate_axis(results.spec)
    chart: Any = draw(Table(replicates), **arguments)
    shown = {name: argument for name, argument in arguments.items() if isinstance(argument, Column)}
    meta = chart.usermeta if isinstance(chart.usermeta, dict) else {}
    whole: alt.TopLevelMixin = chart.properties(usermeta={**meta, "summary": summary(shown, replicates)})
    return whole


def column(value: spec.Value, results: Results, *, let: str = "") -> Column | None:
    """A result expression as a column, called by its `let` where it is one; None for `none`."""
    if isinstance(value, spec.Nothing):
        return None
    name = printable(title(value, results.spec, let=let))
    kind = share_kind(value, results.spec)
    if isinstance(value, spec.Coordinate):
        labels = _labels(value, results)
        return Column(labels, name, levels=_levels(labels), dim=value.axis, share=kind)
    return Column(evaluate(value, results), name, share=kind)


def _labels(value: spec.Coordinate, results: Results) -> xr.DataArray:
    """The labels of an axis along it: numbers where they are numbers, else text."""
    axis = results.spec.axes.get(value.axis)
    if axis is None or _is_own(axis.name, results):
        numbers = coordinate(value, results)
        index = numbers[value.axis]
        return (
            numbers if index.dtype.kind != "U" else index.copy(data=[*map(printable, index.values.tolist())])
        )
    coordinates = axis_coordinates(axis)
    name = axis.name if value.part is None else axis.parts[value.part]
    index = coordinates[axis.name][1]
    texts = coordinates[name][1]
    if texts.dtype.kind == "U":
        texts = np.array(worded([printable(text) for text in texts]))
    return xr.DataArray(texts, dims=(axis.name,), coords={axis.name: index})


def worded(labels: list[str]) -> list[str]:
    """Names as a legend shows them: `one_block` is `one block`, and what `a.test` and `b.test` share goes.

    Nothing changes where two labels would become one.
    """
    parts = [PART.fullmatch(label) for label in labels]
    ends = {part[2] if part else None for part in parts}
    is_shared = len(set(labels)) > 1 and len(ends) == 1
    found = [
        (part[1] if part and is_shared else label).replace("_", " ") for part, label in zip(parts, labels)
    ]
    return found if len(set(found)) == len(set(labels)) else labels


def _is_own(axis: str, results: Results) -> bool:
    """Whether the labels of an axis are those of the results: own axes of analyses, and `epoch`."""
    known = results.spec.axes.get(axis)
    return bool(axis) and (known is None or known.kind == "epoch")


def _met(axis: Column, columns: list[Column]) -> Column:
    """An axis at the labels which the quantities along it have."""
    along = [column.array for column in columns if not column.dim and axis.dim in column.array.dims]
    labels = xr.align(axis.array, *along, join="inner", copy=False)[0]
    return replace(axis, array=labels, levels=_levels(labels))


def printable(text: str) -> str:
    """The text without control characters, line separators and marks that turn the direction of writing.

    Vega-Lite quotes labels in the expressions it makes, but its parser takes U+2028 and U+2029 for line ends; and
    what draws the files ends the whole process on some marks of direction.
    """
    return "".join(" " if _is_unseen(letter) else letter for letter in text)


def _is_unseen(letter: str) -> bool:
    return unicodedata.category(letter) in ("Cc", "Zl", "Zp") or unicodedata.bidirectional(letter) in TURNS


def _levels(labels: xr.DataArray) -> tuple[str | float, ...]:
    values = labels.values.tolist()
    distinct = dict.fromkeys(values)
    return tuple(sorted(distinct)) if labels.dtype.kind in "iuf" else tuple(distinct)


def vega_lite(chart: alt.TopLevelMixin) -> dict[str, Any]:
    """The chart as Vega-Lite without the look of things, which the page and the files give it."""
    content: dict[str, Any] = chart.to_dict()
    content.pop("config", None)
    cleaned: dict[str, Any] = _cleaned(steadied(content))
    return cleaned


def _cleaned(content: Any) -> Any:
    """All texts of it made printable: labels come from many places, and no text may end the process that draws."""
    match content:
        case str():
            return content if content.isascii() and content.isprintable() else printable(content)
        case dict():
            return {key: _cleaned(value) for key, value in content.items()}
        case list():
            return [_cleaned(value) for value in content]
    return content


def notes(chart: alt.TopLevelMixin) -> list[str]:
    """What a plot says about its own drawing: what the bands are, what was left out."""
    meta = getattr(chart, "usermeta", None)
    said = meta.get("notes", []) if isinstance(meta, dict) else []
    return [str(note) for note in said]
