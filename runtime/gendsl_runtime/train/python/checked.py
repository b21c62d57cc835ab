"""The user's own losses, optimizers, schedules and models in a training: their faults are told in their own
lines, and what they return is checked."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from math import prod
from typing import Any, NoReturn

import numpy as np
import torch
from torch import Tensor, nn

from gendsl.spec import Code
from gendsl_runtime import components
from gendsl_runtime.arguments import call
from gendsl_runtime.data import Dataset
from gendsl_runtime.network import Network
from gendsl_runtime.problem import Problem
from gendsl_runtime.python import generators, place, running
from gendsl_runtime.train.optimizer import Optimizer
from gendsl_runtime.train.python import trial

Function = Callable[..., Any]


def loss(code: Code) -> Function:
    """A loss of the user's, called for one member after the other: it need not treat members apart."""
    function = components.load("loss", code.name, code)
    is_tried = False

    def losses(outputs: Tensor, targets: Tensor, **arguments: Any) -> Tensor:
        nonlocal is_tried
        found = []
        for member in range(len(outputs)):
            own = {
                name: value[member : member + 1] if isinstance(value, Tensor) else value
                for name, value in arguments.items()
            }
            one = slice(member, member + 1)
            with running(code, code.name, seed=None), steady(code, is_tried=is_tried):
                found.append(function(outputs[one], targets[one], **own))
            _check_losses(code, function, found[-1], outputs[one])
        is_tried = True
        return found[0] if len(found) == 1 else torch.cat(found)

    return losses


def _check_losses(code: Code, function: Function, found: Any, outputs: Tensor) -> None:
    wanted = (1, outputs.shape[2])
    if not isinstance(found, Tensor):
        _refuse(code, function, f"gives a {type(found).__name__}, not a tensor {wanted}")
    if found.shape != wanted or found.dtype != outputs.dtype:
        _refuse(
            code,
            function,
            f"gives {_kind(found)} for outputs {tuple(outputs.shape)}, not {_kind(outputs, wanted)}",
            help="a loss is (members, outputs, examples) to (members, examples): one number an example, no mean",
        )
    if outputs.requires_grad and not found.requires_grad:
        _refuse(
            code, function, "gives losses without a gradient", help="compute them with torch from `outputs`"
        )


def optimizer(code: Code) -> Function:
    """An optimizer of the user's."""
    function = components.load("optimizer", code.name, code)

    def built(**arguments: Any) -> Optimizer:
        with running(code, code.name):
            made = call(function, arguments)
        if not isinstance(made, Optimizer):
            _refuse(
                code,
                function,
                f"gives a {type(made).__name__}, not an `Optimizer`",
                help="return `gendsl_runtime.train.optimizer.Optimizer(lr, schedule, clip, slots, update)`",
            )
        members = len(made.schedule)
        if made.rate.shape != (members,) or not made.rate.isfinite().all():
            _refuse(
                code,
                function,
                f"has the rates {_kind(made.rate)}, not one finite number a member ({members},)",
            )
        return replace(made, update=_update(code, function, made.update))

    return built


def _update(code: Code, function: Function, update: Function) -> Function:
    is_tried = False

    def updated(*arguments: Any) -> None:
        nonlocal is_tried
        with running(code, code.name, seed=None), steady(code, is_tried=is_tried):
            returned = update(*arguments)
        if returned is not None:
            _refuse(
                code,
                function,
                f"has an update that returns a {type(returned).__name__}",
                help="change the parameters in place: `parameters.sub_(rate * gradients)`",
            )
        is_tried = True

    return updated


def schedule(code: Code) -> Function:
    """A schedule of the user's: `f(steps, steps_per_epoch) -> factors (steps,)`."""

    def factors(steps: int, steps_per_epoch: int, **arguments: Any) -> np.ndarray:
        function = components.load("schedule", code.name, code)
        with running(code, code.name):
            found = function(steps, steps_per_epoch, **arguments)
        try:
            values = np.asarray(found, dtype=np.float64)
        except (TypeError, ValueError):
            _refuse(
                code, function, f"gives a {type(found).__name__}, not factors", help=f"numbers, ({steps},)"
            )
        if values.shape != (steps,) or not np.isfinite(values).all():
            what = f"shape {values.shape}" if values.shape != (steps,) else "a value that is not finite"
            _refuse(
                code, function, f"gives factors with {what}", help=f"one finite number a step: ({steps},)"
            )
        return values

    return factors


_networks: dict[str, Network] = {}
"""Networks that were tried in this process, by all that they are made of."""


def network(code: Code, arguments: Mapping[str, Any], data: Dataset, described: str) -> Network:
    """A model of the user's on this data: a module that has passed its trial, or a network of its own."""
    key = f"{described}{data.shape}{data.outputs}{data.vocabulary}"
    if key not in _networks:
        _networks[key] = _made(code, arguments, data)
    return _networks[key]


def _made(code: Code, arguments: Mapping[str, Any], data: Dataset) -> Network:
    function = components.load("model", code.name, code)
    handed = {
        "shape": data.shape,
        "inputs": prod(data.shape),
        "outputs": data.outputs,
        "vocabulary": data.vocabulary,
    }
    taken = inspect.signature(function).parameters
    given = {name: value for name, value in handed.items() if name in taken} | dict(arguments)
    with running(code, code.name):
        made = call(function, given)
    if isinstance(made, nn.Module):
        inputs = data.split("fit").inputs
        return trial.network(
            lambda: call(function, given), code, shape=data.shape, outputs=data.outputs, inputs=inputs
        )
    if not all(hasattr(made, name) for name in ("init", "apply", "is_noisy", "outputs")):
        _refuse(
            code,
            function,
            f"gives a {type(made).__name__}",
            help="return an `nn.Module`, or be a class of that kind",
        )
    network: Network = made
    return network


@contextmanager
def steady(code: Code, *, is_tried: bool) -> Iterator[None]:
    """Fails where the code within takes numbers from a global generator: those are not seeded for each step."""
    before = () if is_tried else generators()
    yield
    if not is_tried and generators() != before:
        raise Problem(
            "not-reproducible",
            f"`{code.name}` draws random numbers",
            help="only datasets, models and analyses may: they start from a seed",
        )


def _refuse(code: Code, function: Function, what: str, *, help: str | None = None) -> NoReturn:
    raise Problem("component-failed", f"`{code.name}` ({place(function)}) {what}", help=help)


def _kind(value: Tensor, shape: tuple[int, ...] | None = None) -> str:
    return f"{str(value.dtype).removeprefix('torch.')} {tuple(value.shape) if shape is None else shape}"
