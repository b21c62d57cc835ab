"""Small synthetic members for tests of the engine."""

from __future__ import annotations

import hashlib
import inspect

import torch

from gendsl.spec import Choice, Component, Flag, Items, Nothing, Number, Value
from gendsl_runtime import components
from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.length import Length
from gendsl_runtime.train.member import Member


def value(given) -> Value:
    """The spec value of a Python value."""
    match given:
        case None:
            return Nothing()
        case bool():
            return Flag(value=given)
        case int() | float():
            return Number(value=given)
        case Length():
            return Number(value=given.value, unit=given.unit)
        case str():
            return Choice(name=given)
        case list() | tuple():
            return Items(items=tuple(value(item) for item in given))
        case Component():
            return given
    raise TypeError(given)


def component(kind: str, name: str, **given) -> Component:
    """A component with every parameter, as `check` makes them."""
    known = inspect.signature(components.load(kind, name)).parameters
    arguments = {}
    for key, parameter in known.items():
        if parameter.kind is not inspect.Parameter.KEYWORD_ONLY and parameter.annotation not in (
            "Optimizer",
            "Model",
        ):
            continue
        if parameter.annotation == "Schedule" and key not in given:
            arguments[key] = component("schedule", "constant")
        else:
            arguments[key] = value(given.get(key, parameter.default))
    assert not set(given) - set(arguments)
    return Component(kind=kind, name=name, version=1, arguments=arguments)


def blobs(
    *,
    shape: tuple[int, ...] = (6,),
    examples: int = 50,
    classes: int = 3,
    seed: int = 0,
    task: str = "classification",
) -> Dataset:
    """Random inputs with random labels (or targets)."""
    chance = torch.Generator().manual_seed(seed)

    def split(size: int) -> Split:
        inputs = torch.randn(size, *shape, generator=chance)
        if task == "regression":
            return Split(inputs, torch.randn(size, classes, generator=chance))
        return Split(inputs, torch.randint(0, classes, (size,), generator=chance))

    return Dataset({"train": split(examples), "test": split(20)}, task, shape, classes)


def member(data: Dataset | None = None, **fields) -> Member:
    """A member with defaults for what a test does not care about."""
    data = blobs() if data is None else data
    digest = hashlib.sha256(data.splits["train"].inputs.numpy().tobytes())
    digest.update(data.splits["train"].targets.numpy().tobytes())
    defaults = {
        "model": component("model", "mlp", hidden=[8]),
        "optimizer": component("optimizer", "sgd", lr=0.1, momentum=0.9),
        "loss": component("loss", "cross_entropy" if data.task == "classification" else "mse"),
        "batch": 16,
        "budget": Length(3, "epochs"),
    }
    return Member(data=data, data_digest=digest.digest(), **{**defaults, **fields})


def same(left, right) -> bool:
    """Whether two fitted members agree to the bit."""
    values = [
        (a[name], b[name])
        for a, b in (
            (left.state.parameters, right.state.parameters),
            (left.state.buffers, right.state.buffers),
            (left.history, right.history),
        )
        for name in a
    ]
    return (
        left.status == right.status
        and left.steps == right.steps
        and all(torch.equal(a, b) for a, b in values)
    )
