"""Seeds that go on until every claim is decided: when claims are looked at, and the spec of each look."""

from __future__ import annotations

from gendsl.spec import Axis, Number, Spec

ALONE = 1
"""The step from one seed to the next where there is one only."""


def doubling(first: int, most: int) -> tuple[int, ...]:
    """The seeds of each look: twice as many each time, the last time as many as there may be."""
    looks = [first]
    while looks[-1] < most:
        looks.append(min(2 * looks[-1], most))
    return tuple(looks)


def adaptive(spec: Spec) -> Axis | None:
    """The axis of seeds, where it goes on until every claim is decided."""
    return next((axis for axis in spec.axes.values() if axis.looks), None)


def with_seeds(spec: Spec, count: int) -> Spec:
    """The spec with so many seeds, of one whose seeds go on: those it has first, then more in equal steps."""
    axis = adaptive(spec)
    if axis is None or len(axis.values) == count:
        return spec
    start, following = (*axis.labels, None)[:2]
    assert isinstance(start, int)
    step = following - start if isinstance(following, int) else ALONE
    labels = tuple(start + step * place for place in range(count))
    values = tuple(Number(value=label) for label in labels)
    longer = axis.model_copy(update={"values": values, "labels": labels})
    return spec.model_copy(update={"axes": {**spec.axes, axis.name: longer}})
