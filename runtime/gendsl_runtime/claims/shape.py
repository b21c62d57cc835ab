"""How a claim depends on its seeds, read from its expression: which interval is right follows from that."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

from gendsl import spec
from gendsl_runtime.claims.peaks import PEAKS
from gendsl_runtime.claims.places import PLACES

CORRELATIONS = ("spearman", "kendall", "pearson")
EXTREMES = ("lowest", "highest")
AVERAGES = ("mean", "fraction", "difference")
LINEAR = ("mean", "difference", "slope", "auc")
"""Statistics over other axes than the seeds that are linear in their values."""
CURVES = (*PEAKS, *PLACES, "monotone")
"""Statistics of a mean curve that are decided by tests of its points."""


class Shape(IntEnum):
    """The kinds of dependence, in the order in which the wider one wins.

    `CONSTANT` does not depend on seeds. `EACH` has a value for each seed, from that seed alone. `LINEAR` is
    an average over seeds of such values. `EXTREME` is made of lowest and highest values over seeds.
    `GENERAL` is anything else: a median, a correlation, a ratio of averages.
    """

    CONSTANT = 0
    EACH = 1
    LINEAR = 2
    EXTREME = 3
    GENERAL = 4


class Lone(NamedTuple):
    """A statistic over seeds that stands alone on one side of a claim, with a constant on the other."""

    statistic: spec.Statistic
    constant: spec.Value
    is_left: bool


def shape_of(value: spec.Value, experiment: spec.Spec, seed: str) -> Shape:
    """How an expression depends on the replicate axis `seed`."""
    match value:
        case spec.Quantity(step=step):
            return Shape.EACH if seed in experiment.steps[step].axes else Shape.CONSTANT
        case spec.Coordinate(axis=axis):
            return Shape.EACH if axis == seed else Shape.CONSTANT
        case spec.Where(subject=subject, condition=condition, fixed=fixed):
            inner = shape_of(subject, experiment, seed)
            if seed in fixed and inner == Shape.EACH:
                return Shape.CONSTANT
            chosen = shape_of(condition, experiment, seed)
            return inner if chosen <= Shape.EACH else Shape.GENERAL
        case spec.Operation(op=op, operands=operands):
            return _operation(op, [shape_of(operand, experiment, seed) for operand in operands])
        case spec.Statistic(values=values):
            return _statistic(value, max(shape_of(item, experiment, seed) for item in values), seed)
        case spec.Items(items=items):
            return max((shape_of(item, experiment, seed) for item in items), default=Shape.CONSTANT)
    return Shape.CONSTANT


def _operation(op: str, shapes: Sequence[Shape]) -> Shape:
    widest = max(shapes)
    if widest <= Shape.EACH or op == "neg":
        return widest
    is_sum = op in ("+", "-")
    by_constant = op in ("*", "/") and shapes[-1] == Shape.CONSTANT
    is_scaled = by_constant or (op == "*" and shapes[0] == Shape.CONSTANT)
    if is_scaled or (is_sum and widest == Shape.LINEAR):
        return widest
    if is_sum and widest == Shape.EXTREME and set(shapes) <= {Shape.EXTREME, Shape.CONSTANT}:
        return Shape.EXTREME
    return Shape.GENERAL


def _statistic(statistic: spec.Statistic, inner: Shape, seed: str) -> Shape:
    if inner == Shape.CONSTANT:
        return inner
    name = statistic.name
    if seed not in statistic.over and seed != statistic.along:
        if inner == Shape.EACH or (inner == Shape.LINEAR and name in LINEAR):
            return inner
        return Shape.EXTREME if inner == Shape.EXTREME and name in EXTREMES else Shape.GENERAL
    if name in AVERAGES and inner <= Shape.LINEAR:
        return Shape.LINEAR
    return Shape.EXTREME if name in EXTREMES and inner == Shape.EACH else Shape.GENERAL


def has_correlation(value: spec.Value, seed: str) -> bool:
    """Whether a correlation over seeds stands anywhere in an expression."""
    match value:
        case spec.Statistic(name=name, over=over, values=values):
            here = name in CORRELATIONS and seed in over
            return here or any(has_correlation(item, seed) for item in values)
        case spec.Operation(operands=operands):
            return any(has_correlation(item, seed) for item in operands)
        case spec.Where(subject=subject):
            return has_correlation(subject, seed)
    return False


def has_extreme(value: spec.Value, seed: str) -> bool:
    """Whether a lowest or highest value over seeds, or what is made of one, stands anywhere in an expression."""
    match value:
        case spec.Statistic(name=name, over=over, values=values):
            here = name in (*EXTREMES, "regret") and seed in over
            return here or any(has_extreme(item, seed) for item in values)
        case spec.Operation(operands=operands):
            return any(has_extreme(item, seed) for item in operands)
        case spec.Where(subject=subject):
            return has_extreme(subject, seed)
    return False


def lone_curve(claim: spec.Claim, experiment: spec.Spec, seed: str) -> Lone | None:
    """The peak, place or direction of an average over seeds that a claim compares with a constant."""
    for value, other, is_left in ((claim.left, claim.right, True), (claim.right, claim.left, False)):
        if (
            isinstance(value, spec.Statistic)
            and value.name in CURVES
            and seed not in value.over
            and (value.along or value.over)
            and shape_of(value.values[0], experiment, seed) == Shape.LINEAR
            and shape_of(other, experiment, seed) == Shape.CONSTANT
        ):
            return Lone(value, other, is_left)
    return None


def has_place(value: spec.Value, experiment: spec.Spec, seed: str) -> bool:
    """Whether a place or a direction of a curve averaged over seeds stands anywhere in an expression."""
    match value:
        case spec.Statistic(name=name, values=values):
            here = name in (*PLACES, "monotone") and shape_of(values[0], experiment, seed) > Shape.EACH
            return here or any(has_place(item, experiment, seed) for item in values)
        case spec.Operation(operands=operands):
            return any(has_place(item, experiment, seed) for item in operands)
        case spec.Where(subject=subject):
            return has_place(subject, experiment, seed)
    return False


def has_rise(value: spec.Value, experiment: spec.Spec, seed: str) -> bool:
    """Whether the rise of each seed's own curve stands anywhere in an expression."""
    match value:
        case spec.Statistic(name=name, over=over, values=values):
            here = name == "rise" and seed not in over and shape_of(values[0], experiment, seed) == Shape.EACH
            return here or any(has_rise(item, experiment, seed) for item in values)
        case spec.Operation(operands=operands):
            return any(has_rise(item, experiment, seed) for item in operands)
        case spec.Where(subject=subject):
            return has_rise(subject, experiment, seed)
    return False


def lone(claim: spec.Claim, experiment: spec.Spec, seed: str) -> Lone | None:
    """The one statistic over seeds that a claim compares with a constant, if it is of that form."""
    for value, other, is_left in ((claim.left, claim.right, True), (claim.right, claim.left, False)):
        if (
            isinstance(value, spec.Statistic)
            and seed in value.over
            and shape_of(other, experiment, seed) == Shape.CONSTANT
        ):
            return Lone(value, other, is_left)
    return None
