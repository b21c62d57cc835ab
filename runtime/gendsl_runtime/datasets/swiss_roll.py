"""Two interleaved spiral arms in the plane."""

from __future__ import annotations

import numpy as np
import torch

from gendsl_runtime.component import Count, Natural, NonNegative, Seed, dataset
from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.random import generator

LENGTH = 600 / 360 * 2 * np.pi
"""How far an arm winds, in radians: 600 degrees (Huang et al. 2020)."""
UNIT = 0.75 * LENGTH
"""Length of one unit of the inputs in the paper's coordinates, where the arm ends at radius 1.5 * LENGTH."""


@dataset(
    version=1,
    task="classification",
    shape=(2,),
    outputs=2,
    splits={"train": "train", "held_back": "held_back", "test": "test"},
    paper="huang2020understanding",
)
def swiss_roll(
    *,
    train: Count = 400,
    held_back: Natural = 0,
    test: Natural = 4000,
    noise: NonNegative = 0.5,
    seed: Seed = 0,
) -> Dataset:
    """Two spiral arms wound around each other, one class each.

    The swiss roll of Huang et al. (2020). With u uniform on [0, 1] and a = 600 deg * sqrt(u), class 0 is the
    arm `1.5 a (-cos a, sin a)` and class 1 the same arm turned by half a circle; Gaussian noise is added to
    both coordinates. Along a ray from the centre the arms alternate every 1.5 pi = 4.7 units, so with the
    paper's noise of 0.5 they hardly touch. Points spread evenly over the area of the disc: u is proportional
    to the squared radius.

    The inputs are these coordinates divided by 7.85, which takes the outer end from radius 15.7 to 2 and
    gives each coordinate a variance near 1, as networks like it; `noise` stays in the paper's units. Labels
    alternate, so the classes are of equal size. Shape `(2,)`.

    Every split is drawn by itself: a larger one begins with the points of a smaller one, and the others stay
    the same.

    Args:
        train: training points, both classes together.
        held_back: further points of the same distribution, for `with_wrong_labels`.
        test: test points.
        noise: standard deviation of the noise on each coordinate, in the paper's units (arms are 4.7 apart).
        seed: seed of the points.

    Paper:
        Huang, Emam, Goldblum, Fowl, Terry, Huang and Goldstein (2020), Understanding generalization through
        visualizations, PMLR 137; its published code for figures 3, 5 and 6.

    Example:
        dataset rings = swiss_roll(train=400, held_back=400, test=4000, noise=0.5)
    """
    sizes = {"train": train, "held_back": held_back, "test": test}
    splits = {name: _points(name, count, noise, seed) for name, count in sizes.items() if count}
    return Dataset(splits, task="classification", shape=(2,), outputs=2)


def _points(split: str, count: int, noise: float, seed: int) -> Split:
    labels = np.arange(count) % 2
    angle = LENGTH * np.sqrt(generator(f"swiss_roll.{split}.angle", seed).random(count))
    sign = 1 - 2 * labels
    arm = 1.5 * (sign * angle)[:, None] * np.stack([-np.cos(angle), np.sin(angle)], axis=1)
    arm += noise * generator(f"swiss_roll.{split}.noise", seed).standard_normal((count, 2))
    return Split(torch.from_numpy((arm / UNIT).astype(np.float32)), torch.from_numpy(labels))
