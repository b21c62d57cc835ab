"""Losses and errors of perturbed copies of a network, evaluated as a stack."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor

from gendsl_runtime.network import Tensors
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import BLOCK, CACHE, Runs

Of = Literal["loss", "error"]
"""The training loss, or the share of examples classified wrongly."""


def level(runs: Runs, on: str, of: Of, parameters: Tensors | None = None) -> Tensor:
    """Mean loss or error `(members,)` over a split, float64."""
    if of == "error" and runs.data[0].task == "regression":
        raise Problem("out-of-range", "a regression has no share of examples that are wrong", help="of=loss")
    return runs.mean_loss(on, parameters) if of == "loss" else runs.error(on, parameters)


class Copies:
    """One member along offsets `(count, ...)` from its weights: perturbed copies are a stack of their own."""

    def __init__(
        self, member: Runs, on: str, offsets: Tensors, *, unit: float = 1.0, of: Of = "loss"
    ) -> None:
        self._member, self._on, self._offsets, self._unit, self._of = member, on, offsets, unit, of

    def __call__(self, places: np.ndarray, distances: np.ndarray) -> np.ndarray:
        """Levels `(k,)` of the copies at `places` `(k,)`, their offsets multiplied by `distances` `(k,)`."""
        stack = self._member.repeated(len(places))
        index = torch.from_numpy(places)
        steps = torch.from_numpy(distances * self._unit)
        moved = dict(stack.state.parameters)
        for name, offset in self._offsets.items():
            size = steps.to(offset).reshape(-1, *[1] * (offset.ndim - 1))
            moved[name] = torch.addcmul(moved[name], offset.index_select(0, index.to(offset.device)), size)
        return level(stack, self._on, self._of, moved).cpu().numpy()


def batch(member: Runs, on: str) -> int:
    """Copies evaluated together: their weights and activations stay in the cache."""
    parameters = member.state.parameters
    examples = min(BLOCK, member.split(on)[0].shape[1])
    widest = max(tensor.shape[1] for tensor in parameters.values())
    each = 8 * sum(tensor.numel() for tensor in parameters.values()) + 8 * examples * widest
    return int(np.clip(CACHE / each, 1, 256))


def joined(offsets: list[Tensors]) -> Tensors:
    """Offsets of one copy each as those of a stack."""
    return {name: torch.cat([offset[name] for offset in offsets]) for name in offsets[0]}


def norm(parameters: Tensors) -> float:
    """Euclidean norm of all parameters of one member."""
    return float(torch.stack([tensor.double().square().sum() for tensor in parameters.values()]).sum().sqrt())
