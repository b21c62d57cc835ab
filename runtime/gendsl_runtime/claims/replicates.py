"""Which seeds a claim can use: those that have every value it asks for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import xarray as xr

from gendsl import spec
from gendsl_runtime.claims.evaluate import replicate_axis, restrict
from gendsl_runtime.claims.undefined import statistics, undefined
from gendsl_runtime.results import Results

PRESENT, PADDING, FAILED = 0.0, 1.0, 2.0
"""What a value may be: there, NaN beside others of its node, NaN like all of its node."""


def selections(
    value: spec.Value, wheres: tuple[spec.Where, ...] = ()
) -> Iterator[tuple[spec.Quantity, tuple[spec.Where, ...]]]:
    """Every quantity in an expression, with the `where`s around it, the innermost first."""
    match value:
        case spec.Quantity():
            yield value, wheres
        case spec.Where(subject=subject, condition=condition):
            yield from selections(subject, (value, *wheres))
            yield from selections(condition, wheres)
        case spec.Operation(operands=parts) | spec.Statistic(values=parts) | spec.Items(items=parts):
            for part in parts:
                yield from selections(part, wheres)


def is_replicated(values: Sequence[spec.Value], results: Results) -> bool:
    """Whether any quantity in these expressions varies along the replicate axis."""
    seed = replicate_axis(results.spec)
    found = (selection for value in values for selection in selections(value))
    return seed is not None and any(
        seed in results.spec.steps[quantity.step].axes and not any(seed in where.fixed for where in wheres)
        for quantity, wheres in found
    )


def standing(
    values: Sequence[spec.Value], results: Results, *, left: Sequence[str]
) -> tuple[xr.DataArray, xr.DataArray]:
    """Which seeds are usable and which are missing, over the replicate axis and the axes `left`.

    A node has failed where all its values are NaN (its run diverged, its analysis stopped); NaN within a node
    (an epoch it did not reach) is no fault, unless nothing else is chosen. A seed is usable where each
    quantity that varies with seeds has something chosen there and nothing missing, and missing where
    something chosen is. A statistic of one seed that has no value (an exponent of values that are not above 0)
    is missing too.
    """
    seed = replicate_axis(results.spec)
    usable, missing = xr.DataArray(True), xr.DataArray(False)
    for quantity, wheres in (selection for value in values for selection in selections(value)):
        array = results.quantity(quantity)
        own = [dim for dim in array.dims if dim not in results.spec.steps[quantity.step].axes]
        absent = array.isnull()
        state = absent * PADDING + absent.all(own) * (FAILED - PADDING)
        for where in wheres:
            state = restrict(state, where, results)
        if seed not in state.dims:
            continue
        others = [dim for dim in state.dims if dim != seed and dim not in left]
        is_chosen = state.notnull().any(others)
        is_missing = (state == FAILED).any(others) | (is_chosen & ~(state == PRESENT).any(others))
        usable, missing, is_missing, is_chosen = xr.align(
            usable, missing, is_missing, is_chosen, join="inner"
        )
        usable, missing = usable & is_chosen & ~is_missing, missing | is_missing
    for statistic, wheres in (found for value in values for found in statistics(value)):
        without = undefined(statistic, wheres, results, str(seed))
        if without is None:
            continue
        has_none = (without == 1).any([dim for dim in without.dims if dim != seed and dim not in left])
        usable, missing, has_none = xr.align(usable, missing, has_none, join="inner")
        usable, missing = usable & ~has_none, missing | has_none
    return usable, missing
