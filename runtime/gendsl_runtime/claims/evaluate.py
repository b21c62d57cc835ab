"""Result expressions: quantities, axes, arithmetic, `where` and statistics, as labelled arrays.

Arrays meet by the names and labels of their axes, never by position. Missing values are NaN; a condition is 1
where it holds, 0 where not and NaN where one of its values is missing. With `draws`, every statistic that
reduces the replicate axis sees resampled seeds: the same draw of whole seeds wherever that axis is reduced,
so that runs which share a seed stay paired.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import numpy as np
import xarray as xr

from gendsl import spec
from gendsl.spec.operators import ARITHMETIC, COMPARISONS
from gendsl_runtime.arguments import plain
from gendsl_runtime.components import catalogue, load
from gendsl_runtime.results import Results, axis_coordinates, union
from gendsl_runtime.statistics.mean import mean

RESAMPLE = "resample"
"""The dimension of the draws, first of those that a resampled statistic has."""

ELEMENTWISE = {**ARITHMETIC, "**": operator.pow}
"""Arithmetic on arrays."""


def evaluate(value: spec.Value, results: Results, *, draws: np.ndarray | None = None) -> xr.DataArray:
    """The value of a result expression.

    Args:
        draws: `(resamples, seeds)`, places on the replicate axis; the result then has the dimension
            `resample` wherever it depends on that axis through a statistic.

    Returns:
        An array over the axes that the expression has left.
    """
    seed = replicate_axis(results.spec)
    sampled = xr.DataArray(draws, dims=(RESAMPLE, seed)) if draws is not None and seed else None
    with np.errstate(all="ignore"):
        return _Evaluation(results, seed, sampled).of(value)


def restrict(array: xr.DataArray, where: spec.Where, results: Results) -> xr.DataArray:
    """An array over the axes of results where the condition of `where` holds."""
    return _Evaluation(results, replicate_axis(results.spec), None).restricted(array, where)


def replicate_axis(experiment: spec.Spec) -> str | None:
    """The name of the axis of seeds; None where there is none."""
    return next((name for name, axis in experiment.axes.items() if axis.kind == "seeds"), None)


def drawn(array: xr.DataArray, seed: str, draws: xr.DataArray) -> xr.DataArray:
    """The array with its replicates replaced by the drawn ones, `resample` added."""
    if seed not in array.dims:
        return array
    indexers: dict[Any, xr.DataArray] = {seed: draws}
    if RESAMPLE in array.dims:
        indexers[RESAMPLE] = xr.DataArray(np.arange(array.sizes[RESAMPLE]), dims=RESAMPLE)
    return array.drop_vars([name for name, c in array.coords.items() if seed in c.dims]).isel(indexers)


class _Evaluation:
    """One pass over an expression."""

    def __init__(self, results: Results, seed: str | None, draws: xr.DataArray | None) -> None:
        self.results, self.seed, self.draws = results, seed, draws

    def of(self, value: spec.Value) -> xr.DataArray:
        match value:
            case spec.Number(value=number) | spec.Flag(value=number):
                return xr.DataArray(float(number))
            case spec.Quantity():
                return self.results.quantity(value).astype(np.float64)
            case spec.Coordinate():
                return coordinate(value, self.results)
            case spec.Label(axis=axis, index=index):
                return xr.DataArray(float(_codes(spec.Coordinate(axis=axis), self.results)[index]))
            case spec.Operation():
                return self._operation(value.op, value.operands)
            case spec.Where():
                return self.restricted(self.of(value.subject), value)
            case spec.Statistic():
                return self._statistic(value)
        raise TypeError(f"`{value.is_}` has no value in results")

    def _operation(self, op: str, operands: Sequence[spec.Value]) -> xr.DataArray:
        if op in COMPARISONS or op == "in":
            return self._comparison(op, *operands)
        arrays = [self.of(operand) for operand in operands]
        if op in ELEMENTWISE:
            result: xr.DataArray = ELEMENTWISE[op](*arrays)
            return result
        is_true = [array != 0 for array in arrays]
        if op == "not":
            return _condition(~is_true[0], arrays)
        return _condition(reduce(operator.and_ if op == "and" else operator.or_, is_true), arrays)

    def _comparison(self, op: str, left: spec.Value, right: spec.Value) -> xr.DataArray:
        if op == "in":
            return self._membership(left, right)
        if isinstance(left, spec.Label | spec.Choice | spec.Text):
            left, right = right, left
        if isinstance(right, spec.Label | spec.Choice | spec.Text) and isinstance(left, spec.Coordinate):
            codes = _codes(left, self.results)
            place = right.index if isinstance(right, spec.Label) else _place(left, right, self.results)
            array = _along(left.axis, codes, self.results)
            holds: xr.DataArray = COMPARISONS[op](array, codes[place] if place is not None else -1)
            return holds.astype(np.float64)
        arrays = [self.of(left), self.of(right)]
        return _condition(COMPARISONS[op](*arrays), arrays)

    def _membership(self, left: spec.Value, right: spec.Value) -> xr.DataArray:
        if isinstance(right, spec.Items):
            return reduce(xr.ufuncs.maximum, [self._comparison("==", left, item) for item in right.items])
        if not isinstance(right, spec.Range):
            raise TypeError(f"`in` takes a range or a list, not `{right.is_}`")
        array = self.of(left)
        inside = (array >= right.low) & (array <= right.high)
        if right.step:
            steps = (array - right.low) / right.step
            inside &= abs(steps - np.round(steps)) < 1e-9
        return _condition(inside, [array])

    def restricted(self, array: xr.DataArray, where: spec.Where) -> xr.DataArray:
        """The array where the condition holds: labels without any such place are dropped, seeds never."""
        keep = self.of(where.condition)
        fixed = dict(where.fixed)
        keep = keep.isel({axis: place for axis, place in fixed.items() if axis in keep.dims}, drop=True) == 1
        array = array.isel({axis: place for axis, place in fixed.items() if axis in array.dims}, drop=True)
        for axis, label in where.picked.items():
            array, keep = _picked(array, axis, label), _picked(keep, axis, label, absent=False)
        keep = keep.sel({dim: array.indexes[dim] for dim in keep.dims if dim in array.indexes})
        for dim in keep.dims:
            holds = keep.any([other for other in keep.dims if other != dim])
            if dim in (self.seed, RESAMPLE) or dim not in array.dims or bool(holds.all()):
                continue
            places = np.flatnonzero(holds.values)
            array, keep = array.isel({dim: places}), keep.isel({dim: places})
        return array if bool(keep.all()) else array.where(keep)

    def _statistic(self, statistic: spec.Statistic) -> xr.DataArray:
        values = [self.of(value) for value in statistic.values]
        along = statistic.along
        if self.seed in statistic.over and self.seed is not None and self.draws is not None:
            values = [drawn(value, self.seed, self.draws) for value in values]
        values = list(xr.broadcast(*xr.align(*values, join="inner", copy=False)))
        function = load("statistic", statistic.name)
        arguments = {name: plain(argument, name) for name, argument in statistic.arguments.items()}
        present = [dim for dim in statistic.over if dim in values[0].dims]
        if reduces(statistic.name) == "grid":
            shape = tuple(values[0].sizes[dim] for dim in present)
            return _reduced(values, present, lambda arrays: function(*arrays, shape, **arguments))
        if reduces(statistic.name) == "over":
            dims = present if along is None or along in present else [*present, along]
            return _reduced(values, dims, lambda arrays: function(*arrays, **arguments))
        others = [dim for dim in present if dim != along]
        if others:
            values = [_reduced([value], others, lambda arrays: mean(*arrays)) for value in values]
        points = self._points(str(along), values[0])
        return _reduced(values, [str(along)], lambda arrays: function(*arrays, points, **arguments))

    def _points(self, axis: str, array: xr.DataArray) -> np.ndarray:
        """The numbers along an axis of the array; places where its labels are no numbers."""
        numbers = coordinate(spec.Coordinate(axis=axis), self.results)
        if axis in array.indexes:
            numbers = numbers.sel({axis: array.indexes[axis]})
        return numbers.values.astype(np.float64)


def reduces(name: str) -> str:
    """`over`, `along` or `grid`: what the statistic of this name takes."""
    facts: str = catalogue().components["statistic", name].facts["reduces"]
    return facts


def _picked(array: xr.DataArray, axis: str, label: float | str, *, absent: Any = np.nan) -> xr.DataArray:
    """The array at one label of an own axis, which is then gone; `absent` where there is none."""
    if axis not in array.dims:
        return array
    labels = array[axis].values
    if isinstance(label, str) or labels.dtype.kind == "U":
        places = np.flatnonzero(labels == str(label))
    else:
        places = np.flatnonzero(np.isclose(labels, label, rtol=1e-12, atol=0))
    if len(places):
        return array.isel({axis: places[0]}, drop=True)
    nothing = xr.full_like(array.isel({axis: slice(0, 1)}), absent)
    return nothing.any(axis) if array.dtype == bool else nothing.sum(axis, min_count=1)


def _condition(holds: xr.DataArray, operands: Sequence[xr.DataArray]) -> xr.DataArray:
    present = reduce(operator.and_, [operand.notnull() for operand in operands])
    return holds.astype(np.float64).where(present)


def _reduced(
    values: Sequence[xr.DataArray], dims: Sequence[str], function: Callable[[list[np.ndarray]], np.ndarray]
) -> xr.DataArray:
    """The function of arrays whose last axis runs over all of `dims`."""
    left = [dim for dim in values[0].dims if dim not in dims]
    ordered = [value.transpose(*left, *dims) for value in values]
    shape = ordered[0].shape[: len(left)]
    size = int(np.prod(ordered[0].shape[len(left) :], dtype=np.int64))
    reduced = function([array.values.reshape(*shape, size) for array in ordered])
    coords = {name: c for name, c in ordered[0].coords.items() if not set(c.dims) & set(dims)}
    return xr.DataArray(reduced, dims=left, coords=coords)


def coordinate(value: spec.Coordinate, results: Results) -> xr.DataArray:
    """The numbers of an axis, along it; places from 0 where its values are no numbers."""
    axis = results.spec.axes.get(value.axis)
    if axis is None or axis.kind == "epoch":
        labels = _own_labels(value.axis, results)
        numbers = labels if labels.dtype.kind in "iuf" else np.arange(len(labels))
        return xr.DataArray(numbers.astype(np.float64), dims=(value.axis,), coords={value.axis: labels})
    values: list[Any] = list(axis.values)
    if value.part is not None:
        values = [item.items[value.part] for item in values]
    if all(isinstance(item, spec.Number) for item in values):
        return _along(axis.name, np.array([float(item.value) for item in values]), results)
    return _along(axis.name, _codes(value, results), results)


def _along(axis: str, values: np.ndarray, results: Results) -> xr.DataArray:
    known = results.spec.axes.get(axis)
    coords = axis_coordinates(known) if known else {axis: _own_labels(axis, results)}
    return xr.DataArray(np.asarray(values, dtype=np.float64), dims=(axis,), coords=coords)


def _own_labels(axis: str, results: Results) -> np.ndarray:
    """Every label that an analysis's own axis has in these results."""
    found = [dataset[axis].values for dataset in results.values() if axis in dataset.dims]
    if not found:
        raise KeyError(f"no result has an axis `{axis}`")
    is_same = all(np.array_equal(labels, found[0]) for labels in found)
    return found[0] if is_same else union(found)


def _codes(value: spec.Coordinate, results: Results) -> np.ndarray:
    """A whole number for each place of an axis, equal where the label (or that part of it) is."""
    axis = results.spec.axes.get(value.axis)
    if axis is None:
        return np.arange(len(_own_labels(value.axis, results)))
    if value.part is None:
        return np.arange(len(axis.values))
    parts = [str(label[value.part]) for label in axis.labels if isinstance(label, tuple)]
    return np.unique(parts, return_inverse=True)[1]


def _place(value: spec.Coordinate, name: spec.Choice | spec.Text, results: Results) -> int | None:
    """The first place of an axis whose label (or that part of it) is this word."""
    axis, word = results.spec.axes.get(value.axis), name.name if isinstance(name, spec.Choice) else name.value
    if axis is None:
        own = np.flatnonzero(_own_labels(value.axis, results).astype(np.str_) == word)
        return int(own[0]) if len(own) else None
    labels = [
        label[value.part] if value.part is not None and isinstance(label, tuple) else label
        for label in axis.labels
    ]
    return next((place for place, label in enumerate(labels) if str(label) == word), None)
