"""Recurrent layers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

import torch
from torch import Tensor

from gendsl_runtime.train.layers.cells import CELLS, Moment
from gendsl_runtime.train.layers.layer import Fresh, Pass
from gendsl_runtime.train.layers.matmul import matmul

Cell = Literal["tanh", "relu", "gru", "lstm"]
GATES: Mapping[str, int] = MappingProxyType({"tanh": 1, "relu": 1, "gru": 3, "lstm": 4})
"""Vectors of the hidden size that each cell computes from its input."""


@dataclass(frozen=True)
class Recurrent:
    """One recurrent layer over `(members, inputs, steps, examples)`, from a hidden state of zeros.

    `tanh` and `relu` are Elman's cell `h' = f(W x + b + U h + c)`, `gru` is Cho et al. (2014) with the reset
    gate after the product, `lstm` is Hochreiter and Schmidhuber (1997) with forget gates; all as in torch.nn,
    gates in its order, and all values uniform in `+-1/sqrt(hidden)` at the start. `is_last`: the output is
    the last hidden state alone, `(members, hidden, examples)`.
    """

    name: str
    cell: Cell
    inputs: int
    hidden: int
    is_last: bool = False

    def parameters(self) -> Mapping[str, Fresh]:
        rows, bound = GATES[self.cell] * self.hidden, 1 / math.sqrt(self.hidden)
        return {
            f"{self.name}.input.weight": Fresh((rows, self.inputs), "uniform", bound),
            f"{self.name}.state.weight": Fresh((rows, self.hidden), "uniform", bound),
            f"{self.name}.input.bias": Fresh((rows,), "uniform", bound),
            f"{self.name}.state.bias": Fresh((rows,), "uniform", bound),
        }

    def buffers(self) -> Mapping[str, Fresh]:
        return {}

    def apply(self, values: Pass, inputs: Tensor) -> Tensor:
        given, own, offset, own_offset = (
            values.parameters[f"{self.name}.{part}"]
            for part in ("input.weight", "state.weight", "input.bias", "state.bias")
        )
        function = _Unrolled.apply if values.training and self.cell in CELLS else _plain
        found: Tensor = function(inputs, given, own, offset, own_offset, self.cell, self.is_last)
        return found


def _plain(
    inputs: Tensor,
    given: Tensor,
    own: Tensor,
    offset: Tensor,
    own_offset: Tensor,
    cell: Cell,
    is_last: bool,
) -> Tensor:
    """The states `(members, hidden, steps, examples)` or the last one, differentiable as often as one likes."""
    members, _, steps, examples = inputs.shape
    driven = matmul(given, inputs.flatten(2), offset).view(members, -1, steps, examples)
    state = inputs.new_zeros(members, own.shape[2], examples)
    memory, states = state, []
    for drive in driven.unbind(2):
        recalled = matmul(own, state, own_offset)
        if cell == "lstm":
            state, memory = _lstm(drive + recalled, memory)
        elif cell == "gru":
            state = _gru(drive, recalled, state)
        else:
            state = (torch.tanh if cell == "tanh" else torch.relu)(drive + recalled)
        states.append(state)
    return state if is_last else torch.stack(states, 2)


class _Unrolled(torch.autograd.Function):
    """The same for cells with gates, its gradient written out, once, which is all that training needs: fewer
    operations than autograd's, and the gradients of the weights are one product for all steps."""

    @staticmethod
    def forward(
        context: Any,
        inputs: Tensor,
        given: Tensor,
        own: Tensor,
        offset: Tensor,
        own_offset: Tensor,
        name: Cell,
        is_last: bool,
    ) -> Tensor:
        cell, hidden = CELLS[name], own.shape[2]
        members, _, steps, examples = inputs.shape
        first = offset + own_offset if cell.is_one else offset
        driven = matmul(_halved(given, cell.is_gate), inputs.flatten(2), _halved(first, cell.is_gate))
        weight, later = (_halved(value, cell.is_gate) for value in (own, own_offset))
        moments = [Moment(inputs.new_zeros(members, hidden, examples), None)]
        for drive in driven.view(members, -1, steps, examples).unbind(2):
            moments.append(cell.push(drive, weight, later, moments[-1]))
        context.cell, context.is_last = cell, is_last
        context.has_memory = moments[-1].memory is not None
        context.save_for_backward(inputs, given, own, *_flat(moments))
        if is_last:
            return moments[-1].state.clone()
        return torch.stack([moment.state for moment in moments[1:]], 2)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        inputs, given, own, *flat = context.saved_tensors
        steps = inputs.shape[2]
        moments = _moments(flat, steps, has_memory=context.has_memory)
        drives, recalls, memory = [], [], None
        state = gradients[0] if context.is_last else gradients[0][:, :, -1]
        for place in range(steps, 0, -1):
            pulled = context.cell.pull(moments[place], moments[place - 1], state, memory)
            drives.append(pulled.drive)
            recalls.append(pulled.recalled)
            memory = pulled.memory
            if place > 1:
                state = matmul(own.transpose(1, 2), pulled.recalled)
                state = state if pulled.state is None else state.add_(pulled.state)
                if not context.is_last:
                    state = state.add_(gradients[0][:, :, place - 2])
        drive = torch.stack(drives[::-1], 2).flatten(2)
        recall = drive if recalls[0] is drives[0] else torch.stack(recalls[::-1], 2).flatten(2)
        before = torch.stack([moment.state for moment in moments[:-1]], 2).flatten(2)
        back = (
            matmul(given.transpose(1, 2), drive).view(inputs.shape) if context.needs_input_grad[0] else None
        )
        offset = drive.sum(2)
        return (
            back,
            matmul(drive, inputs.flatten(2).transpose(1, 2)),
            matmul(recall, before.transpose(1, 2)),
            offset,
            offset if recall is drive else recall.sum(2),
            None,
            None,
        )


def _halved(value: Tensor, is_gate: tuple[bool, ...]) -> Tensor:
    """A value whose second axis are the rows of a cell, those of gates halved."""
    halved = value.clone()
    for part, is_half in zip(halved.chunk(len(is_gate), 1), is_gate, strict=True):
        if is_half:
            part.mul_(0.5)
    return halved


def _flat(moments: list[Moment]) -> list[Tensor]:
    """All tensors of the moments; the first has a state alone, all others have the same."""
    first, *others = moments
    return [first.state] + [
        tensor
        for state, memory, kept in others
        for tensor in (state, *(() if memory is None else (memory,)), *kept)
    ]


def _moments(flat: list[Tensor], steps: int, *, has_memory: bool) -> list[Moment]:
    """The moments that `_flat` was given."""
    width = (len(flat) - 1) // steps
    found = [Moment(flat[0], None)]
    for start in range(1, len(flat), width):
        state, *rest = flat[start : start + width]
        memory = rest.pop(0) if has_memory else None
        found.append(Moment(state, memory, tuple(rest)))
    return found


def _sigmoid(x: Tensor) -> Tensor:
    """`1 / (1 + exp(-x))` through tanh: the last elements of `torch.sigmoid` are computed by other code."""
    return torch.tanh(x * 0.5) * 0.5 + 0.5


def _lstm(drive: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
    entering, forgetting, cell, leaving = drive.chunk(4, 1)
    memory = _sigmoid(forgetting) * memory + _sigmoid(entering) * torch.tanh(cell)
    return _sigmoid(leaving) * torch.tanh(memory), memory


def _gru(drive: Tensor, recalled: Tensor, state: Tensor) -> Tensor:
    (reset, update, new), (own_reset, own_update, own_new) = drive.chunk(3, 1), recalled.chunk(3, 1)
    fresh = torch.tanh(new + _sigmoid(reset + own_reset) * own_new)
    return fresh + _sigmoid(update + own_update) * (state - fresh)
