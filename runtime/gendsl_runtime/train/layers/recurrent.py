"""Recurrent layers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from gendsl_runtime.train.layers.layer import Fresh, Pass
from gendsl_runtime.train.layers.matmul import matmul

Cell = Literal["tanh", "relu", "gru", "lstm"]
GATES: Mapping[str, int] = {"tanh": 1, "relu": 1, "gru": 3, "lstm": 4}
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
        members, _, steps, examples = inputs.shape
        driven = matmul(given, inputs.flatten(2), offset).view(members, -1, steps, examples)
        state = inputs.new_zeros(members, self.hidden, examples)
        memory, states = state, []
        for drive in driven.unbind(2):
            recalled = matmul(own, state, own_offset)
            if self.cell == "lstm":
                state, memory = _lstm(drive + recalled, memory)
            elif self.cell == "gru":
                state = _gru(drive, recalled, state)
            else:
                state = (torch.tanh if self.cell == "tanh" else torch.relu)(drive + recalled)
            states.append(state)
        return state if self.is_last else torch.stack(states, 2)


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
