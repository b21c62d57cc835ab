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

from gendsl.spec import Component, Value
from gendsl_runtime import components
from gendsl_runtime.arguments import plain, refused
from gendsl_runtime.network import Network, Tensors
from gendsl_runtime.problem import Problem
from gendsl_runtime.train.member import Member
from gendsl_runtime.train.optimizer import Optimizer


def arguments(component: Component) -> dict[str, Any]:
    """Every argument of a component, in Python; a schedule becomes `f(steps, steps_per_epoch)`."""
    return {name: plain(value, name, bound) for name, value in component.arguments.items()}


def bound(value: Value, path: str) -> Callable[..., Any]:
    """A component within a component: its function with its arguments."""
    if not isinstance(value, Component):
        refused(value, path)
    return partial(components.load(value.kind, value.name), **arguments(value))


@cache
def per_member(kind: str, name: str) -> frozenset[str]:
    """Parameters in which members of one stack may differ, from the annotations."""
    known = inspect.signature(components.load(kind, name)).parameters
    return frozenset(
        key for key, parameter in known.items() if str(parameter.annotation).startswith("PerMember")
    )


def split(component: Component) -> tuple[dict[str, Any], dict[str, float]]:
    """Arguments that a whole stack shares, and those of the member alone.

    Nothing and zero are shared: a stack without weight decay has no arithmetic for it, whoever is in it.
    """
    free = per_member(component.kind, component.name)
    values = arguments(component)
    own = {name: value for name, value in values.items() if name in free and value}
    return {name: value for name, value in values.items() if name not in own}, own


def network(member: Member) -> Network:
    """The member's model on its data."""
    function, data = components.load("model", member.model.name), member.data
    own = arguments(member.model)
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
    return StackedLoss(components.load("loss", members[0].loss.name), shared, own)


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
        for name in per_member(first.kind, first.name)
        if name in shared and shared[name] is not None
    }
    # Learning rates stay in float64 until the schedule is multiplied in: torch.optim rounds once as well.
    tensors = {
        name: torch.tensor(column, dtype=torch.float64 if name == "lr" else dtype).to(device)
        for name, column in {**own, **zeros}.items()
    }
    return {name: value for name, value in shared.items() if name not in zeros}, tensors


def optimizer(members: Sequence[Member], *, device: torch.device | str, dtype: torch.dtype) -> Optimizer:
    """The optimizer of a stack; schedules are tables, ones after the end of a member's own budget."""
    shared, own = stacked([_scheduleless(member) for member in members], device=device, dtype=dtype)
    table = np.ones((len(members), max(member.steps for member in members)))
    for row, member in zip(table, members, strict=True):
        row[: member.steps] = factors(member)
    function = components.load("optimizer", members[0].optimizer.name)
    built: Optimizer = function(schedule=torch.from_numpy(table).to(device), **shared, **own)
    return built


def factors(member: Member) -> np.ndarray:
    """Factors of the member's learning rate `(steps,)`, float64."""
    schedule = bound(member.optimizer.arguments["schedule"], "schedule")
    values: np.ndarray = schedule(member.steps, member.steps_per_epoch)
    return values


def _scheduleless(member: Member) -> Component:
    kept = {name: value for name, value in member.optimizer.arguments.items() if name != "schedule"}
    return member.optimizer.model_copy(update={"arguments": kept})
