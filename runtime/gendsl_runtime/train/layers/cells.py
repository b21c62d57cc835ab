"""Recurrent cells with gates and their gradients: a step on the way there, and a step on the way back.

Values of a step are `(members, rows, examples)`; `rows` are the gates of a cell times its hidden units, in the
order of torch.nn. A gate is `sigmoid(x) = tanh(x / 2) / 2 + 1 / 2`: halving is exact, so it is done to the
weights beforehand, and one tanh serves all gates of a step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from gendsl_runtime.train.layers.matmul import matmul

tanh_backward, sigmoid_backward = torch.ops.aten.tanh_backward, torch.ops.aten.sigmoid_backward


class Moment(NamedTuple):
    """The state and the memory after a step, and what the way back needs of it."""

    state: Tensor
    memory: Tensor | None
    kept: tuple[Tensor, ...] = ()


class Pulled(NamedTuple):
    """The slopes of a step's raw gates `W x + b` and `U h + c`, of the state before (but for what goes through
    U) and of the memory before."""

    drive: Tensor
    recalled: Tensor
    state: Tensor | None
    memory: Tensor | None


class Cell(Protocol):
    """How one step is computed."""

    @property
    def is_gate(self) -> tuple[bool, ...]:
        """Which rows are halved beforehand."""
        ...

    @property
    def is_one(self) -> bool:
        """Whether a step needs no more than the sum of `W x + b` and `U h + c`."""
        ...

    def push(self, drive: Tensor, own: Tensor, offset: Tensor, before: Moment) -> Moment:
        """The next moment, from `W x + b` `(M, rows, B)`, U `(M, rows, hidden)` and c `(M, rows)`, halved; where
        a step needs the sum alone, c is part of b already."""
        ...

    def pull(self, moment: Moment, before: Moment, slopes: Tensor, memory: Tensor | None) -> Pulled:
        """The slopes of the step, from those of the state and of the memory that it left."""
        ...


@dataclass(frozen=True)
class Lstm:
    """`c' = f c + i g`, `h' = o tanh(c')` with the gates i, f, o and the tanh g, in the order i, f, g, o."""

    is_gate: tuple[bool, ...] = (True, True, False, True)
    is_one: bool = True

    def push(self, drive: Tensor, own: Tensor, offset: Tensor, before: Moment) -> Moment:
        raw = _added(drive, own, before.state).tanh_()
        size = before.state.shape[1]
        _gate(raw[:, : 2 * size])
        _gate(raw[:, 3 * size :])
        entering, forgetting, cell, leaving = torch.split(raw, size, 1)
        memory = entering * cell
        if before.memory is not None:
            memory += forgetting * before.memory
        shown = torch.tanh(memory)
        return Moment(leaving * shown, memory, (raw, shown))

    def pull(self, moment: Moment, before: Moment, slopes: Tensor, memory: Tensor | None) -> Pulled:
        raw, shown = moment.kept
        size = slopes.shape[1]
        entering, forgetting, cell, leaving = torch.split(raw, size, 1)
        through = tanh_backward(slopes * leaving, shown)
        if memory is not None:
            through += memory
        found = torch.empty_like(raw)
        of_entering, of_forgetting, of_cell, of_leaving = torch.split(found, size, 1)
        torch.mul(through, cell, out=of_entering)
        if before.memory is None:
            of_forgetting.zero_()
        else:
            torch.mul(through, before.memory, out=of_forgetting)
        _gate_slopes(found[:, : 2 * size], raw[:, : 2 * size])
        torch.mul(through, entering, out=of_cell)
        tanh_backward.grad_input(of_cell, cell, grad_input=of_cell)
        torch.mul(slopes, shown, out=of_leaving)
        _gate_slopes(of_leaving, leaving)
        return Pulled(found, found, None, through.mul_(forgetting))


@dataclass(frozen=True)
class Gru:
    """`n = tanh(W x + b + r (U h + c))`, `h' = n + z (h - n)` with the gates r and z, in the order r, z, n."""

    is_gate: tuple[bool, ...] = (True, True, False)
    is_one: bool = False

    def push(self, drive: Tensor, own: Tensor, offset: Tensor, before: Moment) -> Moment:
        size = before.state.shape[1]
        recalled = matmul(own, before.state, offset)
        gates = _gate((drive[:, : 2 * size] + recalled[:, : 2 * size]).tanh_())
        reset, update = gates.chunk(2, 1)
        recent = recalled[:, 2 * size :]
        fresh = (reset * recent).add_(drive[:, 2 * size :]).tanh_()
        apart = before.state - fresh
        return Moment(fresh + update * apart, None, (gates, recent, fresh, apart))

    def pull(self, moment: Moment, before: Moment, slopes: Tensor, memory: Tensor | None) -> Pulled:
        gates, recent, fresh, apart = moment.kept
        size = slopes.shape[1]
        reset, update = gates.chunk(2, 1)
        kept = slopes * update
        found = slopes.new_empty(slopes.shape[0], 3 * size, slopes.shape[2])
        new = tanh_backward.grad_input(slopes - kept, fresh, grad_input=found[:, 2 * size :])
        torch.mul(new, recent, out=found[:, :size])
        torch.mul(slopes, apart, out=found[:, size : 2 * size])
        _gate_slopes(found[:, : 2 * size], gates)
        recalled = found.clone()
        recalled[:, 2 * size :].mul_(reset)
        return Pulled(found, recalled, kept, None)


CELLS: Mapping[str, Cell] = MappingProxyType({"gru": Gru(), "lstm": Lstm()})


def _added(drive: Tensor, own: Tensor, state: Tensor) -> Tensor:
    """What inputs and state contribute to the gates together."""
    if min(*own.shape[1:], state.shape[2]) < 2:
        return matmul(own, state).add(drive)
    return torch.baddbmm(drive, own, state)


def _gate(tanh: Tensor) -> Tensor:
    """A gate from the tanh of half its input, in place."""
    return tanh.mul_(0.5).add_(0.5)


def _gate_slopes(slopes: Tensor, gate: Tensor) -> None:
    """Slopes of a gate to those of its raw input, `g (1 - g)` times as large, in place."""
    sigmoid_backward.grad_input(slopes, gate, grad_input=slopes)
