"""A model, a dataset, a loss, an optimizer, a schedule and an analysis of one's own, for `own_parts.gen`."""

from __future__ import annotations

import numpy as np
import torch
from spirals import spiral
from torch import Tensor, nn
from torch.nn import functional as F

from gendsl_runtime.component import (
    Count,
    NonNegative,
    PerMember,
    Positive,
    Schedule,
    Seed,
    Share,
    SplitName,
    analysis,
    dataset,
    loss,
    optimizer,
    schedule,
)
from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.random import generator
from gendsl_runtime.runs import Runs
from gendsl_runtime.train.optimizer import Optimizer


@dataset(
    version=1,
    task="classification",
    shape=(2,),
    outputs="arms",
    splits={"train": "train", "test": "test"},
)
def spirals(
    *, arms: Count = 3, train: Count = 300, test: Count = 600, noise: NonNegative = 0.05, seed: Seed = 0
) -> Dataset:
    """Points on the arms of a spiral, one class an arm.

    Args:
        arms: number of arms.
        train: training points, all arms together.
        test: test points.
        noise: standard deviation of the noise on each coordinate.
        seed: seed of the points.
    """
    splits = {}
    for name, count in {"train": train, "test": test}.items():
        points, labels = spiral(generator(f"spirals.{name}", seed), count, arms=arms, noise=noise)
        splits[name] = Split(torch.from_numpy(points), torch.from_numpy(labels))
    return Dataset(splits, task="classification", shape=(2,), outputs=arms)


class Residual(nn.Module):
    """A residual network: each block adds what it computes to what it was given.

    Args:
        width: units of each layer.
        blocks: number of blocks.
        dropout: share of the units that a training step leaves out.
    """

    def __init__(
        self, inputs: int, outputs: int, *, width: Count = 32, blocks: Count = 2, dropout: Share = 0.0
    ) -> None:
        super().__init__()
        self.embed = nn.Linear(inputs, width)
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width))
            for _ in range(blocks)
        )
        self.drop = nn.Dropout(dropout)
        self.read = nn.Linear(width, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Examples `(examples, *shape)` to outputs `(examples, outputs)`."""
        x = self.embed(x.flatten(1))
        for block in self.blocks:
            x = x + self.drop(block(x))
        return self.read(x)


@loss(version=1, needs="classification")
def focal(outputs: Tensor, targets: Tensor, *, gamma: NonNegative = 2.0) -> Tensor:
    """Cross-entropy that counts easy examples less: `-(1 - p_y)^gamma log p_y`.

    Args:
        gamma: how much less.
    """
    log_p = F.log_softmax(outputs, 1).gather(1, targets[:, None])[:, 0]
    return -((1 - log_p.exp()) ** gamma) * log_p


@optimizer(version=1)
def sign_descent(
    *,
    lr: PerMember[Positive] = 0.001,  # type: ignore[assignment]
    momentum: PerMember[Share] = 0.9,  # type: ignore[assignment]
    schedule: Schedule = "constant",
) -> Optimizer:
    """Every weight moves by the learning rate, against the sign of its averaged gradient.

    Args:
        lr: learning rate.
        momentum: weight of the past in the average.
        schedule: factor of the learning rate, step by step.
    """
    kept = momentum[:, None]

    def update(
        parameters: Tensor, gradients: Tensor, slots: tuple[Tensor, ...], rate: Tensor, step: int
    ) -> None:
        average = slots[0].mul_(kept).add_(gradients * (1 - kept))
        parameters.sub_(rate * average.sign())

    return Optimizer(lr, schedule, clip=None, slots=1, update=update)


@schedule(version=1)
def triangle(steps: int, steps_per_epoch: int, *, peak: Share = 0.3) -> np.ndarray:
    """A straight line up to 1 and another down to 0.

    Args:
        peak: the share of the training that goes up.
    """
    return np.interp(np.arange(1, steps + 1) / (steps + 1), [0.0, peak, 1.0], [0.0, 1.0, 0.0])


@analysis(
    version=1, needs="classification", gives={"flipped": "1 [reach]"}, axes={"reach": "how far points move"}
)
def flips(runs: Runs, *, on: SplitName = "test", most: Positive = 0.2, count: Count = 5) -> dict[str, Tensor]:
    """The share of points whose class changes when they are moved in a random direction.

    Args:
        on: the split.
        most: the largest distance.
        count: number of distances, from `most / count` to `most`.
    """
    inputs, _ = runs.split(on)
    before = runs.outputs(inputs).argmax(1)
    directions = np.stack([generator("flips", seed).standard_normal(inputs.shape[1:]) for seed in runs.seeds])
    moved = F.normalize(torch.from_numpy(directions).float().flatten(2), dim=2).view_as(inputs)
    reach = most * torch.arange(1, count + 1) / count
    shares = [(runs.outputs(inputs + far * moved).argmax(1) != before).double().mean(1) for far in reach]
    return {"flipped": torch.stack(shares, 1), "reach": reach.double()}
