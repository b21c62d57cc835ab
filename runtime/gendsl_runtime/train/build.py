"""From component values of a spec to the engine's own things: networks, losses, optimizers, schedules."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gendsl.spec import Code, Component, Value
from gendsl_runtime import components
from gendsl_runtime.arguments import plain, refused
from gendsl_runtime.network import Network, Tensors
from gendsl_runtime.problem import Problem
from gendsl_runtime.train.member import Member
from gendsl_runtime.train.optimizer import Optimizer
from gendsl_runtime.train.python import checked
from gendsl_runtime.train.search import Search


def arguments(component: Component) -> dict[str, Any]:
    """Every argument of a component, in Python; a schedule becomes `f(steps, steps_per_epoch)`."""
    return {name: plain(value, name, bound) for name, value in component.arguments.items()}


def bound(value: Value, path: str) -> Callable[..., Any]:
    """A component within a component: its function with its arguments."""
    if not isinstance(value, Component):
        refused(value, path)
    if value.code is not None and value.kind == "schedule":
        return partial(checked.schedule(value.code), **arguments(value))
    return partial(components.load(value.kind, value.name, value.code), **arguments(value))


@cache
def per_member(kind: str, name: str, code: Code | None = None) -> frozenset[str]:
    """Parameters in which members of one stack may differ, from the annotations."""
    known = inspect.signature(components.load(kind, name, code)).parameters
    return frozenset(key for key, parameter in known.items() if "PerMember[" in str(parameter.annotation))


def split(component: Component) -> tuple[dict[str, Any], dict[str, float]]:
    """Arguments that a whole stack shares, and those of the member alone.

    Nothing and zero are shared: a stack without weight decay has no arithmetic for it, whoever is in it.
    """
    free = per_member(component.kind, component.name, component.code)
    values = arguments(component)
    own = {name: value for name, value in values.items() if name in free and value}
    return {name: value for name, value in values.items() if name not in own}, own


def network(member: Member) -> Network:
    """The member's model on its data."""
    data, own = member.data, arguments(member.model)
    if member.model.code is not None:
        return checked.network(member.model.code, own, data, member.model.model_dump_json())
    function = components.load("model", member.model.name)
    if data.vocabulary is not None:
        if "vocabulary" not in inspect.signature(function).parameters:
            raise Problem(
                "wrong-shape",
                f"`{member.model.name}` takes numbers, and this data has tokens",
                help="use a model of sequences: `transformer` or `rnn`",
            )
        own["vocabulary"] = data.vocabulary
    built: Network = function(data.shape, data.outputs, **own)
    return built


@dataclass(frozen=True)
class StackedLoss:
    """The loss of a stack: outputs `(M, C, B)` and targets to losses `(M, B)`."""

    function: Callable[..., Tensor]
    shared: Mapping[str, Any]
    own: Tensors

    def __call__(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return self.function(outputs, targets, **self.shared, **self.own)

    def select(self, members: Tensor) -> StackedLoss:
        """The losses of some members, in that order."""
        own = {name: value.index_select(0, members) for name, value in self.own.items()}
        return StackedLoss(self.function, self.shared, own)


def loss(members: Sequence[Member], *, device: torch.device | str, dtype: torch.dtype) -> StackedLoss:
    """The training loss of a stack."""
    shared, own = stacked([member.loss for member in members], device=device, dtype=dtype)
    code = members[0].loss.code
    function = components.load("loss", members[0].loss.name) if code is None else checked.loss(code)
    # One of the user's takes numbers. To one of ours, what is zero for all is None: no step has to look.
    zero = {name: None for name, value in own.items() if code is None and not bool(value.any())}
    own = {name: value for name, value in own.items() if name not in zero}
    return StackedLoss(function, {**shared, **zero}, own)


def stacked(
    values: Sequence[Component], *, device: torch.device | str, dtype: torch.dtype
) -> tuple[dict[str, Any], Tensors]:
    """Shared arguments, and one tensor `(M,)` for each that members may differ in."""
    first = values[0]
    parts = [split(value) for value in values]
    shared = parts[0][0]
    own = {name: [part[1][name] for part in parts] for name in parts[0][1]}
    zeros = {
        name: [0.0] * len(values)
        for name in per_member(first.kind, first.name, first.code)
        if name in shared and shared[name] is not None
    }
    # Learning rates stay in float64 until the schedule is multiplied in: torch.optim rounds once as well.
    tensors = {
        name: torch.tensor(column, dtype=torch.float64 if name == "lr" else dtype).to(device)
        for name, column in {**own, **zeros}.items()
    }
    return {name: value for name, value in shared.items() if name not in zeros}, tensors


def optimizer(
    members: Sequence[Member], *, device: torch.device | str, dtype: torch.dtype
) -> Optimizer | Search:
    """The optimizer of a stack; schedules are tables, ones after the end of a member's own budget."""
    return _optimizer([member.optimizer for member in members], members, device, dtype)


def _optimizer(
    values: Sequence[Component], members: Sequence[Member], device: torch.device | str, dtype: torch.dtype
) -> Optimizer | Search:
    """An optimizer, after those within it."""
    first = values[0]
    shared, own = stacked([alone(value) for value in values], device=device, dtype=dtype)
    for name in nested(first):
        shared[name] = inner = _optimizer([nested(value)[name] for value in values], members, device, dtype)
        if isinstance(inner, Search):
            raise Problem(
                "out-of-range",
                f"`{first.name}` takes gradients, and an optimizer within it takes none",
                help=f"leave `{first.name}` out",
            )
    if "schedule" in first.arguments:
        table = np.ones((len(members), max(member.steps for member in members)))
        for row, value, member in zip(table, values, members, strict=True):
            row[: member.steps] = table_of(value.arguments["schedule"], member)
        shared["schedule"] = torch.from_numpy(table).to(device)
    code = first.code
    function = components.load("optimizer", first.name) if code is None else checked.optimizer(code)
    built: Optimizer | Search = function(**shared, **own)
    return built


def table_of(schedule: Value, member: Member) -> np.ndarray:
    """Factors of the learning rate over a member's whole budget `(steps,)`, float64."""
    values: np.ndarray = bound(schedule, "schedule")(member.steps, member.steps_per_epoch)
    return values


def factors(member: Member) -> np.ndarray:
    """Factors of the member's learning rate `(steps,)`, float64, by the schedule of its innermost optimizer."""
    optimizer = member.optimizer
    while "schedule" not in optimizer.arguments:
        (optimizer,) = nested(optimizer).values()
    return table_of(optimizer.arguments["schedule"], member)


def nested(component: Component) -> dict[str, Component]:
    """The arguments that are optimizers themselves."""
    return {
        name: value
        for name, value in component.arguments.items()
        if isinstance(value, Component) and value.kind == "optimizer"
    }


def alone(component: Component) -> Component:
    """A component without the schedule and the optimizers within it."""
    apart = {"schedule", *nested(component)}
    kept = {name: value for name, value in component.arguments.items() if name not in apart}
    return component.model_copy(update={"arguments": kept})
