"""Curvature that goes through the outputs: `J^T A J` with the Jacobian J of the outputs in the parameters."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from gendsl_runtime.measures import vectors
from gendsl_runtime.network import Tensors
from gendsl_runtime.problem import Problem
from gendsl_runtime.random import generator
from gendsl_runtime.runs import Runs

Through = Literal["ggn", "fisher", "empirical_fisher"]
Weigh = Callable[[Tensor], Tensor]
"""A, example by example: `(members, outputs, examples)` to the same."""


@dataclass(frozen=True)
class Linearised:
    """The outputs of a stack for one chunk of a split as a linear function of the parameters."""

    leaves: Tensors
    outputs: Tensor
    """`(members, outputs, examples)`, with their graph."""
    cotangent: Tensor
    """Zeros in which `pulled` is linear."""
    pulled: tuple[Tensor, ...]
    """`J^T cotangent`, with its graph: its derivative along a direction is the product of J with it."""
    weigh: Weigh

    def product(self, direction: Tensor) -> Tensor:
        """`J^T A J v`, `(members, size)`, float64."""
        return self.pull(self.weigh(self.push(direction)))

    def push(self, direction: Tensor) -> Tensor:
        """`J v` for `(members, size)`."""
        directions = vectors.shaped(direction, self.leaves).values()
        pairs = [(g, d) for g, d in zip(self.pulled, directions, strict=True) if g.requires_grad]
        if not pairs:
            return torch.zeros_like(self.cotangent)
        (change,) = torch.autograd.grad(
            [pulled for pulled, _ in pairs],
            [self.cotangent],
            [direction for _, direction in pairs],
            retain_graph=True,
            allow_unused=True,
            materialize_grads=True,
        )
        return change

    def pull(self, slopes: Tensor) -> Tensor:
        """`J^T s` for `(members, outputs, examples)`, `(members, size)`, float64."""
        found = torch.autograd.grad(
            self.outputs,
            list(self.leaves.values()),
            slopes,
            retain_graph=True,
            allow_unused=True,
            materialize_grads=True,
        )
        return vectors.flat(dict(zip(self.leaves, found, strict=True))).double()


def linearised(runs: Runs, inputs: Tensor, weigh_of: Callable[[Tensor], Weigh]) -> Linearised:
    """The outputs for some inputs, evaluation mode; `weigh_of(outputs)` gives A."""
    leaves = {name: tensor.detach().requires_grad_() for name, tensor in runs.state.parameters.items()}
    with torch.enable_grad():
        outputs = runs.outputs(inputs, leaves)
        cotangent = torch.zeros_like(outputs, requires_grad=True)
        pulled = torch.autograd.grad(
            outputs,
            list(leaves.values()),
            cotangent,
            create_graph=True,
            allow_unused=True,
            materialize_grads=True,
        )
    return Linearised(leaves, outputs, cotangent, pulled, weigh_of(outputs.detach()))


def weights(
    runs: Runs, targets: Tensor, *, operator: Through, samples: int, chunk: int
) -> Callable[[Tensor], Weigh]:
    """A for each of the operators, from the outputs."""
    if operator == "ggn":
        return lambda outputs: _loss_hessian(runs, outputs, targets)
    if operator == "empirical_fisher":
        return lambda outputs: _outer(loss_slopes(runs, outputs, targets)[None])
    if runs.data[0].task == "labelling":
        raise Problem(
            "out-of-range",
            "the Fisher matrix of a labelling is not defined here: its examples have many labels each",
            help="operator=ggn",
        )
    is_softmax = runs.data[0].task == "classification"
    if samples:
        return lambda outputs: _outer(sampled_scores(runs, outputs, samples=samples, chunk=chunk))
    return _softmax_covariance if is_softmax else lambda outputs: lambda v: v * (2 / outputs.shape[1])


def loss_slopes(runs: Runs, outputs: Tensor, targets: Tensor) -> Tensor:
    """`dl/df`, `(members, outputs, examples)`."""
    with torch.enable_grad():
        leaf = outputs.detach().requires_grad_()
        (slopes,) = torch.autograd.grad(runs.loss(leaf, targets).sum(), leaf)
    return slopes


def sampled_scores(runs: Runs, outputs: Tensor, *, samples: int, chunk: int) -> Tensor:
    """Slopes of -log p(y | f) for labels drawn from the model itself, `(samples, members, outputs, examples)`.

    Each member draws from a stream of its own for each chunk of the split.
    """
    streams = [generator("fisher.labels", seed, chunk) for seed in runs.seeds]
    classes, examples = outputs.shape[1:]
    if runs.data[0].task != "classification":
        drawn = np.stack([stream.standard_normal((samples, classes, examples)) for stream in streams], axis=1)
        return torch.from_numpy(drawn).to(outputs) * math.sqrt(2 / classes)
    chances = torch.softmax(outputs.double(), 1)
    places = torch.from_numpy(np.stack([stream.random((samples, examples)) for stream in streams], axis=1))
    below = chances.cumsum(1)[None] <= places.to(outputs.device)[:, :, None]
    labels = below.sum(2, keepdim=True).clamp_max(classes - 1)
    scores = chances.expand(samples, *chances.shape).clone()
    scores.scatter_add_(2, labels, torch.full_like(labels, -1.0, dtype=scores.dtype))
    return scores.to(outputs)


def _outer(slopes: Tensor) -> Weigh:
    """Mean over samples of `s s^T`."""

    def weigh(v: Tensor) -> Tensor:
        # All of an example's outputs, which in a labelling are classes and places.
        within = tuple(range(2, slopes.ndim - 1))
        weighed: Tensor = (slopes * (slopes * v).sum(within, keepdim=True)).sum(0)
        return weighed / len(slopes)

    return weigh


def _softmax_covariance(outputs: Tensor) -> Weigh:
    """`diag(p) - p p^T`."""
    chances = torch.softmax(outputs, 1)
    return lambda v: chances * (v - (chances * v).sum(1, keepdim=True))


def _loss_hessian(runs: Runs, outputs: Tensor, targets: Tensor) -> Weigh:
    leaf = outputs.detach().requires_grad_()
    with torch.enable_grad():
        (slopes,) = torch.autograd.grad(runs.loss(leaf, targets).sum(), leaf, create_graph=True)

    def weigh(v: Tensor) -> Tensor:
        if not slopes.requires_grad:  # a loss that is piecewise linear
            return torch.zeros_like(v)
        (change,) = torch.autograd.grad(slopes, leaf, v, retain_graph=True)
        return change

    return weigh
