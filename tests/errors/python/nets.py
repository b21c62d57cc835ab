"""Components for the wrong specs beside this folder."""

from typing import Literal

import torch
from torch import nn

from gendsl_runtime.component import Positive, loss
from layers import Block


class WideNet(nn.Module):
    """One hidden layer."""

    def __init__(self, inputs, outputs, *, width: int = 64, activation: Literal["relu", "tanh"] = "relu"):
        super().__init__()
        self.hidden = nn.Linear(inputs, width)
        self.last = nn.Linear(width, outputs)

    def forward(self, x):
        return self.last(torch.relu(self.hidden(x)))


class Untyped(nn.Module):
    def __init__(self, inputs, outputs, width):
        super().__init__()


class Open(Block):
    def __init__(self, inputs, outputs, **more):
        super().__init__()


class Computed(nn.Module):
    def __init__(self, inputs, outputs, *, width: int = 8 * 8):
        super().__init__()


class Strange(nn.Module):
    def __init__(self, inputs, outputs, *, größe: int, sizes: dict[str, int]):
        super().__init__()


class Doubtful(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.last = globals()["make"](inputs, outputs)


@loss()
def margin(outputs, targets, *, gap: Positive = 1.0):
    """How far the right class lies above the next one."""
    return outputs.amax(1) - gap
