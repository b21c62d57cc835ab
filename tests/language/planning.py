"""Experiments made by hand, for the tests of plans."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from gendsl.plan import Plan, plan
from gendsl.spec import (
    Axis,
    Choice,
    Component,
    Coordinate,
    Items,
    Number,
    Spec,
    Step,
    Use,
    Value,
)


def axis(name: str, *values: Value | float, kind: str = "sweep", parts: tuple[str, ...] = ()) -> Axis:
    made = tuple(Number(value=v) if isinstance(v, int | float) else v for v in values)
    labels = tuple(v if isinstance(v, int | float) else f"{name}{at}" for at, v in enumerate(values))
    return Axis(name=name, kind=kind, values=made, labels=labels, parts=parts)


def step(kind: str, name: str, component: str, axes: tuple[str, ...] = (), **arguments: Value) -> Step:
    return Step(name=name, kind=kind, component=component, version=1, arguments=arguments, axes=axes)


def spec(*declarations: Axis | Step, **changes: Any) -> Spec:
    axes = {d.name: d for d in declarations if isinstance(d, Axis)}
    steps = {d.name: d for d in declarations if isinstance(d, Step)}
    return Spec(
        **{"name": "x", "title": "x", "path": "x.gen", "text": "", "axes": axes, "steps": steps, **changes}
    )


def planned(experiment: Spec, **options: Any) -> Plan:
    files = options.pop("file_digest", lambda path: sha256(path.encode()).digest())
    return plan(experiment, **{"numerics": "cpu", "file_digest": files, **options})


LR, WIDTH, SEED = axis("lr", 0.1, 0.2), axis("width", 8, 16, 32), axis("seed", 0, 1, kind="seeds")
NET = Component(
    kind="model",
    name="mlp",
    version=1,
    arguments={"hidden": Items(items=(Coordinate(axis="width"),)), "activation": Choice(name="relu")},
)
SGD = Component(kind="optimizer", name="sgd", version=1, arguments={"lr": Coordinate(axis="lr")})
DIGITS = step("dataset", "digits", "sklearn_digits", train=Number(value=1000))
NOISY = step(
    "dataset",
    "noisy",
    "with_label_noise",
    ("seed",),
    dataset=Use(step="digits"),
    seed=Coordinate(axis="seed"),
)
FIT = step(
    "train",
    "fit",
    "train",
    ("lr", "width", "seed"),
    model=NET,
    dataset=Use(step="noisy"),
    optimizer=SGD,
    seed=Coordinate(axis="seed"),
)
PLAIN = step(
    "train",
    "plain",
    "train",
    ("seed",),
    model=Choice(name="linear"),
    dataset=Use(step="digits"),
    seed=Coordinate(axis="seed"),
)
RUN = axis("run", Use(step="fit"), Use(step="plain"))
GAP = step("analysis", "gap", "gap", ("run", "lr", "width", "seed"), run=Coordinate(axis="run"))
WHOLE = (LR, WIDTH, SEED, RUN, GAP, FIT, PLAIN, NOISY, DIGITS)
