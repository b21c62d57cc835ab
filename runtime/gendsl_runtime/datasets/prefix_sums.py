"""Prefix sums of bits."""

from __future__ import annotations

import numpy as np
import torch

from gendsl_runtime.component import Count, Natural, Seed, dataset
from gendsl_runtime.data import NO_LABEL, Dataset, Split
from gendsl_runtime.problem import Problem
from gendsl_runtime.random import generator


@dataset(
    version=1,
    task="labelling",
    shape=(None, 1),
    outputs=2,
    splits={"train": "train", "held_back": "held_back", "test": "test"},
    paper="schwarzschild2021learn",
)
def prefix_sums(
    *,
    lengths: list[Count] = (16,),  # type: ignore[assignment]
    train: Count = 2000,
    held_back: Natural = 0,
    test: Natural = 500,
    seed: Seed = 0,
) -> Dataset:
    """Strings of random bits, with the parity of all bits so far at each place.

    Bit b is the number b - 1/2 (Schwarzschild et al. 2021), so an example has the shape `(steps, 1)`; the label at a
    place is the sum of the bits up to it modulo 2. Each string has one of `lengths`, all equally likely; a shorter one
    is followed by zeros up to the longest, where nothing is asked. Short strings come up more than once.

    Args:
        lengths: bits of a string.
        train: training strings.
        held_back: further strings.
        test: test strings.
        seed: seed of the strings. It is not the replicate's unless `seed = seed` says so.

    Paper:
        Schwarzschild et al. (2021), Can You Learn an Algorithm? Generalizing from Easy to Hard Problems with Recurrent
        Networks.

    Example:
        dataset bits = prefix_sums(lengths=[4, 8, 16], train=4000)
    """
    if not lengths:
        raise Problem("out-of-range", "no length of strings is given", help="lengths=[16]")
    sizes = {"train": train, "held_back": held_back, "test": test}
    splits = {
        name: _split(generator(f"prefix_sums.{name}", seed), np.array(lengths), count)
        for name, count in sizes.items()
        if count
    }
    return Dataset(splits, "labelling", (max(lengths), 1), 2)


def _split(chance: np.random.Generator, lengths: np.ndarray, count: int) -> Split:
    longest = int(lengths.max())
    bits = chance.integers(0, 2, (count, longest))
    is_there = np.arange(longest) < chance.choice(lengths, count)[:, None]
    inputs = np.where(is_there, bits - 0.5, 0.0).astype(np.float32)
    labels = np.where(is_there, bits.cumsum(1) % 2, NO_LABEL)
    return Split(torch.from_numpy(inputs[:, :, None]), torch.from_numpy(labels))
