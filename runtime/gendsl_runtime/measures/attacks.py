"""Perturbations of inputs that a network gets wrong, found by its gradient."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from gendsl_runtime.problem import Problem
from gendsl_runtime.random import generator
from gendsl_runtime.runs import Runs

Norm = Literal["linf", "l2"]
Objective = Literal["cross_entropy", "margin"]


@dataclass(frozen=True)
class Ball:
    """Inputs within `radius` of a point, and within the range that inputs have."""

    norm: Norm
    radius: float
    low: float | None = None
    high: float | None = None

    def nearest(self, points: Tensor, centres: Tensor) -> Tensor:
        """The points, pulled into the balls around `centres`, which lie in the range themselves: `(members,
        examples, *shape)`. Cutting to the range brings a point nearer to its centre, so the result is in both."""
        change = points - centres
        if self.norm == "linf":
            change = change.clamp(-self.radius, self.radius)
        else:
            least = max(self.radius, torch.finfo(change.dtype).tiny)
            change = change * (self.radius / lengths(change).clamp_min(least))
        low, high = (
            (-math.inf if self.low is None else self.low),
            math.inf if self.high is None else self.high,
        )
        return (centres + change).clamp(low, high)

    def uniform(self, streams: list[np.random.Generator], like: Tensor) -> Tensor:
        """A change drawn uniformly from the ball around zero for each example of each member."""
        drawn = [_uniform(stream, tuple(like.shape[1:]), self.norm) for stream in streams]
        return torch.from_numpy(np.stack(drawn)).to(like) * self.radius


def _uniform(stream: np.random.Generator, shape: tuple[int, ...], norm: Norm) -> np.ndarray:
    if norm == "linf":
        return stream.uniform(-1.0, 1.0, shape)
    direction = stream.standard_normal(shape)
    size = int(np.prod(shape[1:]))
    length = np.sqrt(np.square(direction.reshape(shape[0], -1)).sum(1))
    share = stream.random(shape[0]) ** (1 / size) / length
    scaled: np.ndarray = direction * share.reshape(-1, *[1] * (len(shape) - 1))
    return scaled


def lengths(change: Tensor) -> Tensor:
    """Euclidean length of the change of each example, shaped to be multiplied with it."""
    found: Tensor = torch.linalg.vector_norm(change.flatten(2), dim=2)
    return found.reshape(*change.shape[:2], *[1] * (change.ndim - 2))


def check_range(runs: Runs, split: str, low: float | None, high: float | None) -> None:
    """Raises Problem where inputs lie outside the range that they are said to have."""
    inputs = runs.split(split)[0]
    least, most = float(inputs.min()), float(inputs.max())
    if (low is not None and least < low) or (high is not None and most > high):
        raise Problem(
            "out-of-range",
            f"inputs of `{split}` lie from {least:g} to {most:g}, outside the range that is given",
            help="give `low` and `high` as the data have them, or neither",
        )


def margin(outputs: Tensor, targets: Tensor) -> Tensor:
    """Right output minus the best wrong one, `(members, examples)`, from outputs `(members, classes, examples)`."""
    place = targets.unsqueeze(1)
    return outputs.gather(1, place)[:, 0] - outputs.scatter(1, place, -torch.inf).amax(1)


OBJECTIVES: dict[Objective, Callable[[Tensor, Tensor], Tensor]] = {
    "cross_entropy": lambda outputs, targets: torch.nn.functional.cross_entropy(
        outputs, targets, reduction="none"
    ),
    "margin": lambda outputs, targets: -margin(outputs, targets),
}
"""What an attack raises, for outputs `(members, classes, examples)`."""


def slope(runs: Runs, inputs: Tensor, targets: Tensor, objective: Objective) -> tuple[Tensor, Tensor]:
    """The gradient of the objective in the inputs, `(members, examples, *shape)`, and whether the outputs there are
    wrong, `(members, examples)`."""
    with torch.enable_grad():
        leaf = inputs.detach().requires_grad_()
        outputs = runs.outputs(leaf)
        total = OBJECTIVES[objective](outputs, targets).sum()
        (found,) = torch.autograd.grad(total, leaf)
    return found, outputs.detach().max(1).indices != targets


@dataclass(frozen=True)
class Attack:
    """Ascent by projected gradients (Madry et al. 2018), from the input itself or from points drawn in the ball."""

    ball: Ball
    steps: int
    step_size: float
    restarts: int
    """0 starts at the input itself, once."""
    objective: Objective

    def broken(self, runs: Runs, inputs: Tensor, targets: Tensor, *, block: int) -> tuple[Tensor, Tensor]:
        """Whether any point on the way is classified wrongly, and whether the gradient was nothing at the start,
        `(members, examples)` each."""
        wrong = torch.zeros(targets.shape[:2], dtype=torch.bool, device=targets.device)
        flat = torch.ones_like(wrong)
        for start in self._starts(runs, inputs, block):
            point = self.ball.nearest(start, inputs)
            for step in range(self.steps):
                gradient, mistaken = slope(runs, point, targets, self.objective)
                wrong |= mistaken
                if step == 0:
                    flat &= (gradient == 0).flatten(2).all(2)
                point = self.ball.nearest(point + self._step(gradient), inputs)
            with torch.no_grad():
                wrong |= runs.outputs(point).max(1).indices != targets
        return wrong, flat

    def _starts(self, runs: Runs, inputs: Tensor, block: int) -> Iterator[Tensor]:
        if self.restarts == 0:
            yield inputs.clone()
        for restart in range(self.restarts):
            streams = [generator("attack", seed, restart, block) for seed in runs.seeds]
            yield inputs + self.ball.uniform(streams, inputs)

    def _step(self, gradient: Tensor) -> Tensor:
        if self.ball.norm == "linf":
            return self.step_size * gradient.sign()
        return gradient * (self.step_size / lengths(gradient).clamp_min(torch.finfo(gradient.dtype).tiny))
