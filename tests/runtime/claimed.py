"""Results and claims made by hand, for the tests of claims."""

from __future__ import annotations

import numpy as np
import xarray as xr

from gendsl.spec import (
    Axis,
    Claim,
    Coordinate,
    Label,
    Number,
    Operation,
    Quantity,
    Spec,
    Statistic,
    Step,
    Use,
    Where,
)
from gendsl_runtime.claims.decide import decide
from gendsl_runtime.results import Results, axis_coordinates

RUN = Axis(name="run", kind="sweep", values=(Use(step="a"), Use(step="b")), labels=("clean", "poisoned"))
WIDTH = Axis(name="width", kind="sweep", values=tuple(Number(value=w) for w in (1, 2, 4)), labels=(1, 2, 4))
X, Y = Quantity(step="m", name="x"), Quantity(step="m", name="y")


def seeds(n):
    return Axis(
        name="seed", kind="seeds", values=tuple(Number(value=i) for i in range(n)), labels=tuple(range(n))
    )


def number(value):
    return Number(value=value)


def reduce(name, *values, over=("seed",), along=None, **arguments):
    given = {key: Number(value=value) for key, value in arguments.items()}
    return Statistic(name=name, version=1, values=values, over=over, along=along, arguments=given)


def where(value, **fixed):
    axes = {"run": RUN, "width": WIDTH}
    conditions = [
        Operation(op="==", operands=(Coordinate(axis=axis), Label(axis=axis, index=place)))
        if axes[axis].kind == "sweep" and axis == "run"
        else Operation(op="==", operands=(Coordinate(axis=axis), axes[axis].values[place]))
        for axis, place in fixed.items()
    ]
    condition = conditions[0]
    for other in conditions[1:]:
        condition = Operation(op="and", operands=(condition, other))
    return Where(subject=value, condition=condition, fixed=fixed)


def minus(a, b):
    return Operation(op="-", operands=(a, b))


def results(axes, claims=(), failures=(), **quantities):
    """Results of one analysis `m` over these axes."""
    step = Step(
        name="m", kind="analysis", component="m", version=1, arguments={}, axes=tuple(a.name for a in axes)
    )
    spec = Spec(
        name="t",
        title="T",
        path="t.gen",
        text="",
        axes={axis.name: axis for axis in axes},
        steps={"m": step},
        claims=tuple(claims),
    )
    coords = {}
    for axis in axes:
        coords |= axis_coordinates(axis)
    own = ("point",)
    variables = {
        name: ((*step.axes, *own)[: np.ndim(values)], np.asarray(values, dtype=float))
        for name, values in quantities.items()
    }
    return Results(spec, {"m": xr.Dataset(variables, coords=coords)}, tuple(failures))


def claim(left, op, right, *, name="c", level=0.95, **quantifiers):
    right = number(right) if isinstance(right, int | float) else right
    return Claim(name=name, text="...", left=left, op=op, right=right, level=level, quantifiers=quantifiers)


def only(axes, statement, failures=(), **quantities):
    (verdict,) = decide(results(axes, [statement], failures, **quantities))
    return verdict
