"""Guess and check."""

from __future__ import annotations

import numpy as np
import torch

from gendsl_runtime.component import Count, PerMember, Real, optimizer
from gendsl_runtime.problem import Problem
from gendsl_runtime.train.search import Search


@optimizer(version=1, batch="all", paper="chiang2023loss")
def guess(
    *,
    low: PerMember[Real] = -1.0,  # type: ignore[assignment]
    high: PerMember[Real] = 1.0,  # type: ignore[assignment]
    population: Count = 2000,
) -> Search:
    """Guess and check: networks with random parameters are drawn until one meets the `stop` of the training.

    No gradient is taken. Every parameter, offsets too, is uniform in `[low, high)`, independent of the others (Chiang
    et al. 2023, "Loss Landscapes are All You Need", who take [-1, 1]). The first guess that meets all conditions of
    `stop` is kept: a fair draw from the networks that meet them. With
    `stop = train_error == 0% and train_loss < 0.5` it fits every example and has a small loss on them, measured in
    evaluation mode on the whole training set.

    A step is a population of guesses, and an epoch is a step: `budget = 500 epochs` of 2000 are a million guesses.
    Where none of them meets the `stop` the run has failed: it is named in the report and enters no result. Without a
    `stop` each step keeps its first guess: `budget = 1 step` gives a network that has seen no data, for comparison or
    as the `init` of another training. Running statistics stay as a fresh network has them. Guess number n depends on
    the run's seed and n alone; the population is how many are drawn between two looks at the clock. `guesses` counts
    them.

    Args:
        low: smallest value of a parameter.
        high: largest value of a parameter.
        population: guesses of a step.

    Example:
        optimizer = guess(low=-1, high=1)
    """
    if not bool((low < high).all()):
        raise Problem(
            "out-of-range",
            "`guess` draws from `low` to `high`, and `low` is not the smaller of the two",
            help="write `guess(low=-1, high=1)`",
        )
    lows, spans = (values.cpu().numpy().astype(np.float32) for values in (low, high - low))

    def draw(row: int, chance: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
        values = chance.random(shape, dtype=np.float32)
        values *= spans[row]
        values += lows[row]
        return values

    return Search(draw, population, torch.zeros_like(low))
