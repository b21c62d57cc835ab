"""Noisy values of a function of one number."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from numpy.polynomial import legendre

from gendsl_runtime.component import Count, Natural, NonNegative, Seed, dataset
from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.random import generator


@dataset(
    version=1,
    task="regression",
    shape=(1,),
    outputs=1,
    splits={"train": "train", "held_back": "held_back", "test": "test"},
    paper="lotfi2022bayesian",
)
def curve(
    *,
    train: Count = 40,
    held_back: Natural = 0,
    test: Natural = 500,
    function: Literal["sines", "legendre"] = "sines",
    degree: Natural = 12,
    noise: NonNegative = 0.2,
    seed: Seed = 0,
) -> Dataset:
    """Points of a curve: `y = f(x) + noise * e` with x uniform on -1 to 1 and e standard normal.

    `sines` is `f(x) = sin(4 x) + 0.5 cos(9 x)`; `legendre` is `sum_k c_k P_k(x) / sqrt(degree + 1)` up to `degree` with
    standard normal c_k of the seed. Test points have the same noise: no predictor has a lower mean squared error than
    `noise^2`. Every split is drawn by itself; a larger one begins with the points of a smaller one.

    Args:
        train: training points.
        held_back: further points, for choosing parameters.
        test: test points.
        function: `sines` or `legendre`.
        degree: highest degree of `legendre`.
        noise: standard deviation of the noise.
        seed: seed of the points, the noise and the coefficients.

    Papers:
        Lotfi et al. (2022), Bayesian model selection, the marginal likelihood, and generalization, ICML (regression
        on fixed functions).

    Example:
        dataset points = curve(train=40, noise=0.2, seed=seed)
    """
    coefficients = generator("curve.coefficients", seed).standard_normal(degree + 1) / np.sqrt(degree + 1)

    def drawn(split: str, count: int) -> Split:
        x = 2 * generator(f"curve.{split}.inputs", seed).random(count) - 1
        noises = generator(f"curve.{split}.noise", seed).standard_normal(count)
        values = (
            np.sin(4 * x) + 0.5 * np.cos(9 * x) if function == "sines" else legendre.legval(x, coefficients)
        )
        y = values + noise * noises
        return Split(
            torch.from_numpy(x[:, None].astype(np.float32)), torch.from_numpy(y[:, None].astype(np.float32))
        )

    sizes = {"train": train, "held_back": held_back, "test": test}
    splits = {name: drawn(name, count) for name, count in sizes.items() if count}
    return Dataset(splits, task="regression", shape=(1,), outputs=1)
