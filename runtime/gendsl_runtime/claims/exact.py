"""Claims about numbers that are known exactly: true or false as they stand."""

from __future__ import annotations

import numpy as np
import xarray as xr

from gendsl import spec
from gendsl.spec.operators import COMPARISONS
from gendsl_runtime.claims.evaluate import evaluate
from gendsl_runtime.claims.verdict import Case, Label
from gendsl_runtime.results import Results


def exact_cases(claim: spec.Claim, results: Results) -> list[Case]:
    """The cases of a claim without replicates, one for each coordinate it has left."""
    sides = xr.align(*(evaluate(side, results) for side in (claim.left, claim.right)), join="inner")
    left, right = xr.broadcast(*sides)
    pairs = zip(left.values.reshape(-1), right.values.reshape(-1), strict=True)
    return [
        exact_case(claim.op, float(a), float(b), coordinate=coordinate)
        for coordinate, (a, b) in zip(coordinates(left), pairs, strict=True)
    ]


def exact_case(op: str, left: float, right: float, *, coordinate: dict[str, Label]) -> Case:
    """The case of two numbers that are known exactly."""
    difference = 0.0 if left == right else left - right
    if np.isnan(difference):
        reason = "a value is missing or not a number"
        return Case(coordinate, "undecided", difference, -np.inf, np.inf, left, right, reason=reason)
    is_true = COMPARISONS[op](left, right)
    return Case(
        coordinate,
        "supported" if is_true else "refuted",
        *(difference, difference, difference, left, right),
        p_true=0.0 if is_true else 1.0,
        p_false=1.0 if is_true else 0.0,
    )


def coordinates(array: xr.DataArray) -> list[dict[str, Label]]:
    """Axis to label for every cell of an array, in C order."""
    labels = [_labels(array, str(dim)) for dim in array.dims]
    return [
        {str(dim): labels[k][place] for k, (dim, place) in enumerate(zip(array.dims, places, strict=True))}
        for places in np.ndindex(*array.shape)
    ]


def _labels(array: xr.DataArray, dim: str) -> list[Label]:
    found: list[Label] = array[dim].values.tolist()
    return found
