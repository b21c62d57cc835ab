"""The adding problem."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import torch

from gendsl_runtime.component import Count, Natural, Seed, dataset
from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.random import generator


@dataset(
    version=1,
    task="regression",
    shape=("length", 2),
    outputs=1,
    splits={"train": "train", "held_back": "held_back", "test": "test"},
    paper=["hochreiter1997long", "le2015simple"],
)
def adding_problem(
    *,
    length: Annotated[Count, "2..100000"] = 50,
    train: Count = 1000,
    held_back: Natural = 0,
    test: Natural = 1000,
    seed: Seed = 0,
) -> Dataset:
    """Sequences of numbers of which two are marked, and the sum of the two: a regression for networks with a
    memory.

    Each step is a pair of a number, uniform on [0, 1], and a mark, 1 at two steps and 0 elsewhere: one of the
    first half of the steps (rounded down), the other of the rest. Shape `(length, 2)`. To say always 1 has a
    mean squared error of 1/6, the variance of the sum; the longer the sequence, the longer the first number
    must be remembered (Hochreiter and Schmidhuber 1997, section 5.4, in the form of Le et al. 2015).

    Every split is drawn by itself: a larger one begins with the sequences of a smaller one, and the others
    stay the same.

    Args:
        length: steps of a sequence.
        train: training sequences.
        held_back: further sequences, for choosing parameters.
        test: test sequences.
        seed: seed of the sequences. It is not the replicate's unless `seed = seed` says so.

    Papers:
        Hochreiter and Schmidhuber (1997), Long short-term memory, Neural Computation 9(8). Le, Jaitly and
        Hinton (2015), A simple way to initialize recurrent networks of rectified linear units.

    Example:
        dataset sums = adding_problem(length=100, train=5000)
    """
    sizes = {"train": train, "held_back": held_back, "test": test}
    splits = {name: _sequences(name, count, length, seed) for name, count in sizes.items() if count}
    return Dataset(splits, "regression", (length, 2), 1)


def _sequences(split: str, count: int, length: int, seed: int) -> Split:
    numbers = generator(f"adding_problem.{split}.numbers", seed).random((count, length))
    chance = generator(f"adding_problem.{split}.marks", seed).random((count, 2))
    half = length // 2
    first, second = np.floor(chance * [half, length - half]).astype(np.int64).T + np.array([[0], [half]])
    marks = np.zeros((count, length))
    rows = np.arange(count)
    marks[rows, first] = marks[rows, second] = 1
    sums = numbers[rows, first] + numbers[rows, second]
    steps = np.stack([numbers, marks], 2).astype(np.float32)
    return Split(torch.from_numpy(steps), torch.from_numpy(sums[:, None].astype(np.float32)))
