"""Two interleaved half circles in the plane."""

from __future__ import annotations

import numpy as np
import torch

from gendsl_runtime.component import Count, Natural, NonNegative, Seed, dataset
from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.random import generator


@dataset(
    version=1,
    task="classification",
    shape=(2,),
    outputs=2,
    splits={"train": "train", "held_back": "held_back", "test": "test"},
    paper="pedregosa2011scikit",
)
def two_moons(
    *,
    train: Count = 200,
    held_back: Natural = 0,
    test: Natural = 1000,
    noise: NonNegative = 0.1,
    seed: Seed = 0,
) -> Dataset:
    """Two half circles of radius 1 that reach into each other, one class each.

    With a uniform on [0, pi], class 0 is `(cos a, sin a)` and class 1 is `(1 - cos a, 1/2 - sin a)`; Gaussian
    noise is added to both coordinates. This is scikit-learn's `make_moons` with random instead of evenly
    spaced angles. Without noise the moons come as close as 0.5. Labels alternate, so the classes are of equal
    size. Shape `(2,)`, no scaling.

    Every split is drawn by itself: a larger one begins with the points of a smaller one, and the others stay
    the same.

    Args:
        train: training points, both classes together.
        held_back: further points of the same distribution, for `with_wrong_labels`.
        test: test points.
        noise: standard deviation of the noise on each coordinate, in units of the moons' radius.
        seed: seed of the points.

    Paper:
        Pedregosa et al. (2011), Scikit-learn: machine learning in Python, JMLR 12.

    Example:
        dataset moons = two_moons(train=200, test=1000, noise=0.2)
    """
    sizes = {"train": train, "held_back": held_back, "test": test}
    splits = {name: _points(name, count, noise, seed) for name, count in sizes.items() if count}
    return Dataset(splits, task="classification", shape=(2,), outputs=2)


def _points(split: str, count: int, noise: float, seed: int) -> Split:
    labels = np.arange(count) % 2
    angle = np.pi * generator(f"two_moons.{split}.angle", seed).random(count)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    points = np.where(labels[:, None] == 0, circle, np.array([1.0, 0.5]) - circle)
    points += noise * generator(f"two_moons.{split}.noise", seed).standard_normal((count, 2))
    return Split(torch.from_numpy(points.astype(np.float32)), torch.from_numpy(labels))
