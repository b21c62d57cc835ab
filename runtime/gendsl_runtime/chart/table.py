"""The data of one figure: labelled columns that become tidy tables."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd
import xarray as xr

from gendsl_runtime.problem import Problem

CELLS = 5_000_000
"""No table of a figure may have more rows: beyond it the axes that meet were hardly meant to cross."""


Kind: TypeAlias = Literal["", "share", "points"]
"""A share from 0 to 1, a difference of shares, or neither."""


@dataclass(frozen=True)
class Column:
    """One result expression of a plot, over its axes.

    `levels` are the distinct labels in order where the column is an axis; a measured quantity has none.
    """

    array: xr.DataArray
    title: str
    levels: tuple[str | float, ...] = ()
    dim: str = ""
    """The axis it is, where it is one."""
    share: Kind = ""

    @property
    def format(self) -> str:
        """How its numbers are spelt, in the words of d3-format: shares in per cent."""
        return ".4~p" if self.share else ".4~g"

    def said(self, label: object) -> str:
        """A label of the axis in words: `0.2` of a share is `20%`."""
        if isinstance(label, int | float) and not isinstance(label, bool):
            return f"{100 * label:.4g}%" if self.share else f"{label:g}"
        return str(label)

    @property
    def is_number(self) -> bool:
        return self.array.dtype.kind in "iufb"

    def over(self, array: xr.DataArray) -> Column:
        """The same column with other values."""
        return replace(self, array=array)


@dataclass(frozen=True)
class Table:
    """What a plot is given beside its columns: `replicates` is the axis of seeds, where there is one."""

    replicates: str | None = None

    def has_replicates(self, *columns: Column | None) -> bool:
        """Whether one of the columns varies over the seeds."""
        return any(column is not None and self.replicates in column.array.dims for column in columns)

    def frame(self, **columns: Column | xr.DataArray | None) -> pd.DataFrame:
        """One row for each coordinate of all axes of the columns, which meet by name.

        A column called `slide` is given as places along its axis, from 0. `detail` tells apart the rows that
        differ only in an axis that none of the columns is.
        """
        arrays = {name: _array(column) for name, column in columns.items() if column is not None}
        joined = xr.broadcast(*xr.align(*arrays.values(), join="inner", copy=False))
        size = joined[0].size
        if size > CELLS:
            dims = " x ".join(f"{dim} ({length})" for dim, length in joined[0].sizes.items())
            raise Problem(
                "too-many-points",
                f"the figure would have {size:,} points: {dims}",
                help="select with `where`",
            )
        order = joined[0].dims
        content = {name: one.transpose(*order).values.ravel() for name, one in zip(arrays, joined)}
        slide = columns.get("slide")
        if isinstance(slide, Column):
            content["slide"] = _indices(content["slide"], slide.levels)
        return pd.DataFrame({**content, "detail": _detail(joined[0], columns)})


def _indices(values: np.ndarray, levels: tuple[str | float, ...]) -> np.ndarray:
    """Labels as their places among the levels."""
    places = {level: place for place, level in enumerate(levels)}
    return np.array([places[value] for value in values.tolist()], dtype=np.int64)


def _array(column: Column | xr.DataArray) -> xr.DataArray:
    array = column.array if isinstance(column, Column) else column
    return array.reset_coords(drop=True)


def _detail(array: xr.DataArray, columns: dict[str, Column | xr.DataArray | None]) -> np.ndarray:
    mentioned = {column.dim for column in columns.values() if isinstance(column, Column)}
    code = np.zeros(array.shape, dtype=np.int64)
    for place, dim in enumerate(array.dims):
        if dim not in mentioned:
            shape = [1] * array.ndim
            shape[place] = array.shape[place]
            code = code * array.shape[place] + np.arange(array.shape[place]).reshape(shape)
    return code.ravel()
