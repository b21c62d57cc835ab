"""Inputs made worse in common ways."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import conv1d, pad

Kind = Literal["gaussian", "uniform", "salt_pepper", "contrast", "blur", "occlusion"]
NEEDS_IMAGES: frozenset[Kind] = frozenset({"blur", "occlusion"})


def corrupted(inputs: Tensor, kind: Kind, severity: float, stream: np.random.Generator) -> Tensor:
    """One member's inputs `(examples, *shape)`, corrupted; severity 0 leaves them as they are."""
    return CORRUPTIONS[kind](inputs, severity, stream) if severity else inputs


def _gaussian(inputs: Tensor, severity: float, stream: np.random.Generator) -> Tensor:
    return inputs + severity * torch.from_numpy(stream.standard_normal(inputs.shape)).to(inputs)


def _uniform(inputs: Tensor, severity: float, stream: np.random.Generator) -> Tensor:
    return inputs + severity * torch.from_numpy(stream.uniform(-1.0, 1.0, inputs.shape)).to(inputs)


def _salt_pepper(inputs: Tensor, severity: float, stream: np.random.Generator) -> Tensor:
    chance = torch.from_numpy(stream.random(inputs.shape)).to(inputs.device)
    low, high = inputs.amin(), inputs.amax()
    salted = torch.where(chance < severity / 2, low, inputs)
    return torch.where((chance >= severity / 2) & (chance < severity), high, salted)


def _contrast(inputs: Tensor, severity: float, stream: np.random.Generator) -> Tensor:
    mean = inputs.flatten(1).mean(1).reshape(-1, *[1] * (inputs.ndim - 1))
    return mean + (inputs - mean) * max(0.0, 1 - severity)


def _blur(inputs: Tensor, severity: float, stream: np.random.Generator) -> Tensor:
    """Gaussian of standard deviation `severity` pixels, cut at three of them, borders repeated."""
    reach = max(1, math.ceil(3 * severity))
    ticks = torch.arange(-reach, reach + 1, dtype=torch.float64)
    kernel = torch.exp(-ticks.square() / (2 * severity**2))
    kernel = (kernel / kernel.sum()).to(inputs).reshape(1, 1, -1)
    for _ in range(2):
        rows = inputs.reshape(-1, 1, inputs.shape[-1])
        smooth = conv1d(pad(rows, (reach, reach), mode="replicate"), kernel)
        inputs = smooth.reshape(inputs.shape).transpose(-1, -2)
    return inputs


def _occlusion(inputs: Tensor, severity: float, stream: np.random.Generator) -> Tensor:
    """A square with this share of the area, at a random place of each image, set to the mean of all inputs."""
    height, width = inputs.shape[-2:]
    side = min(height, width, round(math.sqrt(severity * height * width)))
    tops = torch.from_numpy(stream.integers(0, height - side + 1, len(inputs))).reshape(-1, 1, 1, 1)
    lefts = torch.from_numpy(stream.integers(0, width - side + 1, len(inputs))).reshape(-1, 1, 1, 1)
    y, x = torch.arange(height).reshape(-1, 1), torch.arange(width).reshape(1, -1)
    hidden = (y >= tops) & (y < tops + side) & (x >= lefts) & (x < lefts + side)
    return torch.where(hidden.to(inputs.device), inputs.mean(), inputs)


CORRUPTIONS: dict[Kind, Callable[[Tensor, float, np.random.Generator], Tensor]] = {
    "gaussian": _gaussian,
    "uniform": _uniform,
    "salt_pepper": _salt_pepper,
    "contrast": _contrast,
    "blur": _blur,
    "occlusion": _occlusion,
}
