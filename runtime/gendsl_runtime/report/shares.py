"""Which numbers are shares, and so are shown in per cent.

A quantity is one where its analysis says so (`shares`, `differences`), the labels of an axis are where a
component takes them for a `Share`. Means of shares are shares; differences and multiples of them are percentage
points.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from gendsl import spec
from gendsl.diagnostic import DiagnosticError
from gendsl.fingerprint import UnreadableError
from gendsl_runtime.components import described

if TYPE_CHECKING:
    from gendsl_runtime.chart.table import Kind

WITHIN = frozenset({"mean", "median", "lowest", "highest", "quantile"})
"""Statistics whose result lies where their values lie."""
SPREADS = frozenset({"std", "rise", "difference"})
"""Statistics that give a distance between values."""


def share_kind(value: spec.Value, experiment: spec.Spec) -> Kind:
    """Whether an expression is a `share` from 0 to 1, `points` (a difference of shares), or neither."""
    match value:
        case spec.Quantity(step=step, name=name):
            made = experiment.steps.get(step)
            return quantity_kind(made, name) if made is not None else ""
        case spec.Coordinate(axis=axis, part=None):
            return "share" if axis in share_axes(experiment) else ""
        case spec.Where(subject=subject):
            return share_kind(subject, experiment)
        case spec.Statistic(name="fraction"):
            return "share"
        case spec.Statistic(name=name, values=(first, *_)):
            inner = share_kind(first, experiment)
            return inner if name in WITHIN else "points" if inner and name in SPREADS else ""
        case spec.Operation(op="+" | "-" | "neg" as op, operands=operands):
            return _combined(op, operands, experiment)
        case spec.Operation(op="*", operands=(spec.Number(), other) | (other, spec.Number())):
            return "points" if share_kind(other, experiment) else ""
        case spec.Operation(op="/", operands=(other, spec.Number())):
            return "points" if share_kind(other, experiment) else ""
    return ""


def _combined(op: str, operands: tuple[spec.Value, ...], experiment: spec.Spec) -> Kind:
    """`1 - share` is a share; sums and differences of shares are not bounded by 0 and 1."""
    match op, operands:
        case "-", (spec.Number(value=1.0), other):
            return share_kind(other, experiment)
    kinds = [share_kind(item, experiment) for item in operands if not isinstance(item, spec.Number)]
    return "points" if kinds and all(kinds) else ""


def quantity_kind(step: spec.Step, name: str) -> Kind:
    """What the analysis of a step says of one of its quantities."""
    try:
        known = described("analysis", step.component, step.code)
    except (DiagnosticError, UnreadableError):
        known = None  # a file of the user's that is gone, or was edited since
    if known is None:
        return ""
    if name in known.facts.get("shares", ()):
        return "share"
    return "points" if name in known.facts.get("differences", ()) else ""


def share_axes(experiment: spec.Spec) -> set[str]:
    """The axes whose labels some component takes for a share."""
    found = set()
    for step in experiment.steps.values():
        found |= set(_shares_of(step.kind, step.component, step.arguments, step.code))
    return {axis for axis in found if axis in experiment.axes and not experiment.axes[axis].parts}


def _shares_of(
    kind: str, name: str, arguments: Mapping[str, spec.Value], code: spec.Code | None
) -> Iterator[str]:
    try:
        known = described(kind, name, code)
    except (DiagnosticError, UnreadableError):
        known = None
    for key, value in arguments.items():
        match value:
            case spec.Coordinate(axis=axis, part=None) if known is not None and key in known.parameters:
                if known.parameters[key].type.name == "Share":
                    yield axis
            case spec.Component():
                yield from _shares_of(value.kind, value.name, value.arguments, value.code)
