"""How well each of many measures orders runs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from gendsl_runtime.chart.records import data, present
from gendsl_runtime.chart.style import DIVERGING, drawn, finished, order
from gendsl_runtime.chart.table import Column, Table
from gendsl_runtime.component import Flag, Values, plot
from gendsl_runtime.problem import Problem
from gendsl_runtime.statistics.granulated_kendall import granulated_kendall
from gendsl_runtime.statistics.kendall import kendall
from gendsl_runtime.statistics.mean import mean
from gendsl_runtime.statistics.robust_sign_error import robust_sign_error

OVERALL = ("τ, all pairs", "Ψ, granulated", "1 − 2 × worst sign error")


@plot(version=1, paper=["jiang2020fantastic", "dziugaite2020robust"])
def ranking(table: Table, *, y: Values, x: Values, of: Values, sorted: Flag = True) -> Any:
    """The rank correlations of many measures with one number, along each axis and over all, as a heat map.

    A row for each label of y, a column for Kendall's coefficient along each swept axis with the others fixed (psi of
    Jiang et al. 2020), over all pairs (tau), their mean (Psi), and `1 - 2 e` with e the sign error in the worst
    environment (Dziugaite et al. 2020). Means over the seeds' own coefficients; blue is against, vermilion with.

    Args:
        y: the axis of the measures.
        x: the values of the measures.
        of: the number they are to follow, such as the generalisation gap.
        sorted: the measure with the largest Psi first, rather than in the order of the axis.
    """
    if y.dim not in x.array.dims:
        raise Problem("missing-axis", f"the measures do not vary along {y.title}", help="give `y` their axis")
    axes = [str(dim) for dim in x.array.dims if dim not in (y.dim, table.replicates)]
    axes = [axis for axis in axes if axis in of.array.dims and x.array.sizes[axis] > 1]
    if not axes:
        raise Problem("missing-axis", "nothing is swept: there are no runs to put in order")
    found = _coefficients(table, x.array, of.array, str(y.dim), axes)
    labels = [str(label) for label in found[str(y.dim)].values]
    if sorted:
        key = found.sel(coefficient=OVERALL[1]).fillna(-2).values
        labels = [labels[place] for place in np.argsort(-key, kind="stable")]
    columns = tuple(str(label) for label in found["coefficient"].values)
    across = Column(found["coefficient"], "coefficient", columns, "coefficient")
    frame, missing = present(
        table.frame(x=across, y=replace(y, levels=tuple(labels)), color=found.rename("color")), "color"
    )
    encoding = {
        "x": {"field": "x", "type": "nominal", **order(across), "title": None, "axis": _labelled(-30)},
        "y": {
            "field": "y",
            "type": "nominal",
            **order(replace(y, levels=tuple(labels))),
            "title": y.title,
            "axis": _labelled(0),
        },
        "color": {
            "field": "color",
            "type": "quantitative",
            "title": "correlation",
            "scale": {"range": list(DIVERGING), "domain": [-1, 1], "domainMid": 0},
            "legend": {"orient": "right", "gradientLength": 160, "format": ".2"},
        },
        "tooltip": [
            {"field": "y", "title": y.title, "type": "nominal"},
            {"field": "x", "title": "coefficient", "type": "nominal"},
            {"field": "color", "title": "correlation", "type": "quantitative", "format": ".3f"},
        ],
    }
    seeds = int(x.array.sizes.get(str(table.replicates), 1))
    note = f"Rank correlations with {of.title}" + (f", means over {seeds} seeds." if seeds > 1 else ".")
    return finished(
        drawn({"type": "rect"}, encoding, data(frame.drop(columns="detail"))),
        None,
        notes=[note, missing],
        height=max(18 * len(labels), 120),
        description=f"Heat map of rank correlations of {len(labels)} measures with {of.title}.",
    )


def _labelled(angle: int) -> dict[str, Any]:
    return {"labelAngle": angle, "grid": False, "labelLimit": 220, "labelOverlap": False}


def _coefficients(
    table: Table, measures: xr.DataArray, of: xr.DataArray, rows: str, axes: list[str]
) -> xr.DataArray:
    """`(rows, coefficient)`, means over the seeds."""
    one, other = xr.broadcast(*xr.align(measures, of, join="inner"))
    if not one.size:
        raise Problem(
            "bad-data",
            "nothing to draw: the measures and what they are to follow have no setting in common",
            help="give both the same `where`",
        )
    front = [dim for dim in (rows, table.replicates) if dim is not None and dim in one.dims]
    one, other = (array.transpose(*front, *axes, ...) for array in (one, other))
    rest = [dim for dim in one.dims if dim not in (*front, *axes)]
    x, y = (array.mean(rest).values.astype(float) for array in (one, other))
    shape = x.shape[len(front) :]
    columns = {
        f"along {axis}": _along(x, y, place, len(front)) for place, axis in enumerate(axes, len(front))
    }
    flat_x, flat_y = (values.reshape(*values.shape[: len(front)], -1) for values in (x, y))
    columns[OVERALL[0]] = kendall(flat_x, flat_y)
    columns[OVERALL[1]] = granulated_kendall(flat_x, flat_y, shape)
    columns[OVERALL[2]] = 1 - 2 * robust_sign_error(flat_x, flat_y, shape)
    values = np.stack(list(columns.values()), axis=-1)
    found = xr.DataArray(
        values, dims=(*front, "coefficient"), coords={rows: one[rows].values, "coefficient": list(columns)}
    )
    return found.mean([dim for dim in front if dim != rows])


def _along(x: np.ndarray, y: np.ndarray, axis: int, front: int) -> np.ndarray:
    """psi of one axis: the mean over all others of Kendall's coefficient along it."""
    first, second = (np.moveaxis(values, axis, -1) for values in (x, y))
    rows = (*first.shape[:front], -1, first.shape[-1])
    return mean(granulated_kendall(first.reshape(rows), second.reshape(rows), (first.shape[-1],)))
