"""The user's own datasets and analyses: called with their faults told in their own lines, and what they return
checked against what their decorators promise."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

import numpy as np
from torch import Tensor

from gendsl.spec import Code
from gendsl_runtime import components
from gendsl_runtime.arguments import call
from gendsl_runtime.data import Dataset
from gendsl_runtime.problem import Problem
from gendsl_runtime.python import place, running

Function = Callable[..., Any]


def dataset(code: Code, arguments: Mapping[str, Any]) -> Dataset:
    """A dataset of the user's, as its decorator promises it."""
    function = components.load("dataset", code.name, code)
    with running(code, code.name):
        made = call(function, arguments)
    if not isinstance(made, Dataset):
        help = "return a `gendsl_runtime.data.Dataset`"
        _refuse(code, function, f"gives a {type(made).__name__}, not a `Dataset`", help=help)
    made.checked(code.name)
    for what, promised, given in _promises(_facts(function), arguments, made):
        if promised is not None and promised != given:
            _refuse(
                code,
                function,
                f"has {what} {given}, and its decorator says {promised}",
                help="the spec was checked with what the decorator says: make both agree",
            )
    return made


def _promises(
    facts: Mapping[str, Any], arguments: Mapping[str, Any], made: Dataset
) -> list[tuple[str, Any, Any]]:
    """What is promised and what is given; None is not promised."""

    def known(fact: Any) -> Any:
        return arguments.get(fact, fact) if isinstance(fact, str) else fact

    source = arguments.get(facts.get("like") or "")
    like = source if isinstance(source, Dataset) else None
    shape = facts.get("shape") or (like.shape if like else None)
    sizes = {name: known(size) for name, size in (facts.get("splits") or {}).items()}
    kind = facts.get("inputs") or (_kind(like) if like else "numbers")
    if kind in arguments:
        kind = "numbers" if arguments[kind] is None else "tokens"
    return [
        ("inputs that are", kind, _kind(made)),
        ("the task", known(facts.get("task")) or (like.task if like else None), made.task),
        ("examples of shape", None if shape is None else tuple(map(known, shape)), made.shape),
        ("outputs", known(facts.get("outputs")) or (like.outputs if like else None), made.outputs),
        *(
            (f"a split `{name}` of size", size, len(made.splits.get(name, ())))
            for name, size in sizes.items()
        ),
    ]


def _kind(data: Dataset) -> str:
    return "numbers" if data.vocabulary is None else "tokens"


def analysis(
    code: Code, arguments: Mapping[str, Any], *, members: int
) -> tuple[Mapping[str, Any], Sequence[str]]:
    """The result of an analysis of the user's, and the quantities it promises."""
    function = components.load("analysis", code.name, code)
    with running(code, code.name):
        result = call(function, arguments)
        gives = {name: _axes(text) for name, text in _facts(function)["gives"].items()}
    if not isinstance(result, Mapping):
        help = "return a dictionary, a quantity each: {" + ", ".join(f'"{name}": ...' for name in gives) + "}"
        _refuse(code, function, f"gives a {type(result).__name__}, not a dictionary", help=help)
    missing = sorted(set(gives) - set(result))
    if missing:
        _refuse(code, function, f"promises `{missing[0]}` and does not give it")
    axes = {axis for own in gives.values() for axis in own}
    unknown = sorted(map(str, set(result) - set(gives) - axes))
    if unknown:
        _refuse(
            code,
            function,
            f"gives `{unknown[0]}`, which its decorator does not promise",
            help="add it to `gives`",
        )
    lengths: dict[str, int] = {}
    for name, value in result.items():
        for array in _arrays(code, function, name, value):
            _check(code, function, name, array, is_label=name not in gives)
        if name in gives and not isinstance(value, list):
            _check_shape(code, function, name, np.shape(value), members, gives[name], lengths)
        elif not isinstance(value, list):
            _check_length(code, function, name, lengths, len(value))
    return result, tuple(gives)


def _arrays(code: Code, function: Function, name: str, value: Any) -> list[np.ndarray]:
    try:
        return [np.asarray(_plain(one)) for one in (value if isinstance(value, list) else [value])]
    except (TypeError, ValueError, RuntimeError) as error:
        _refuse(code, function, f"gives `{name}`, which is no array: {error}")


def _plain(value: Any) -> Any:
    return value.detach().cpu().numpy() if isinstance(value, Tensor) else value


def _check(code: Code, function: Function, name: str, array: np.ndarray, *, is_label: bool) -> None:
    if is_label and array.dtype.kind == "U" and array.ndim == 1:
        return
    if array.dtype.kind not in "biuf":
        _refuse(code, function, f"gives `{name}` as {array.dtype}, not numbers")
    if not np.isfinite(array).all():
        _refuse(code, function, f"gives `{name}` with a value that is not finite (NaN or infinite)")


def _check_shape(
    code: Code,
    function: Function,
    name: str,
    shape: tuple[int, ...],
    members: int,
    axes: Sequence[str],
    lengths: dict[str, int],
) -> None:
    """A quantity is `(members, ...)`, with one length for each of its own axes, the same everywhere."""
    if len(shape) != 1 + len(axes) or shape[0] != members:
        wanted = ", ".join(["members", *axes]) + "," * (not axes)
        help = f"there are {members} members in this call"
        _refuse(code, function, f"gives `{name}` of shape {tuple(shape)}, not ({wanted})", help=help)
    for axis, length in zip(axes, shape[1:], strict=True):
        _check_length(code, function, axis, lengths, length)


def _check_length(code: Code, function: Function, axis: str, lengths: dict[str, int], length: int) -> None:
    if lengths.setdefault(axis, length) != length:
        _refuse(code, function, f"gives the axis `{axis}` two lengths, {lengths[axis]} and {length}")


def _axes(text: str) -> tuple[str, ...]:
    """`nats [epoch]` has the own axis epoch."""
    return tuple(text.partition("[")[2].rstrip("] ").replace(",", " ").split())


def _facts(function: Function) -> Mapping[str, Any]:
    """What the decorator was told."""
    facts: Mapping[str, Any] = getattr(function, "__gendsl__", {})
    return facts


def _refuse(code: Code, function: Function, what: str, *, help: str | None = None) -> NoReturn:
    raise Problem("component-failed", f"`{code.name}` ({place(function)}) {what}", help=help)
