"""Columns made by hand, as the engine makes them from result expressions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import vl_convert
import xarray as xr

from gendsl_runtime.chart.table import Column, Table

TABLE = Table("seed")


def labels(name: str, values: Sequence[Any]) -> Column:
    """An axis."""
    array = xr.DataArray(np.array(values), dims=(name,), coords={name: np.array(values)})
    return Column(array, name, levels=tuple(array.values.tolist()), dim=name)


def quantity(values: np.ndarray, *, title: str = "measured", **axes: Sequence[Any]) -> Column:
    """A quantity over axes, in order."""
    coords = {name: np.array(axis) for name, axis in axes.items()}
    return Column(xr.DataArray(values, dims=tuple(axes), coords=coords), title)


def rows(chart: Any) -> list[dict[str, Any]]:
    """The rows of the chart's data; the chart compiles."""
    content = chart.to_dict()
    assert vl_convert.vegalite_to_vega(content)["marks"]
    found = content.get("data", {}).get("values")
    return found if found is not None else next(iter(content["datasets"].values()))


def notes(chart: Any) -> str:
    return " ".join(chart.usermeta["notes"])
