"""Parity of a sequence of bits."""

from __future__ import annotations

import numpy as np
import torch

from gendsl_runtime.component import Count, Natural, Seed, dataset
from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.data.splitting import parts
from gendsl_runtime.random import generator

LISTED = 20
"""Length up to which all sequences are listed, so that no two splits share one."""


@dataset(
    version=1,
    task="classification",
    inputs="tokens",
    shape=("length",),
    outputs=2,
    splits={"train": "train", "held_back": "held_back", "test": "test"},
    paper="hochreiter1997long",
)
def parity(
    *,
    length: Count = 16,
    train: Count = 1000,
    held_back: Natural = 0,
    test: Natural = 1000,
    seed: Seed = 0,
) -> Dataset:
    """Sequences of random bits, and whether the number of ones is odd: to be found out, all bits must be kept
    in mind.

    The tokens are 0 and 1, so the vocabulary is 2, and the class is the sum of the bits modulo 2. A recurrent
    network needs two states for it; networks that see all bits at once find no smaller part of them that
    tells anything.

    Up to a length of 20 the splits are disjoint: `train` is the beginning and `test` the end of all
    sequences in random order, and with one `seed` a larger `train` holds every smaller one. Longer sequences
    are drawn one by one, each split by itself, and hardly ever occur twice.

    Args:
        length: bits of a sequence.
        train: training sequences.
        held_back: further sequences, for `with_wrong_labels` or for choosing parameters.
        test: test sequences; with a length n of at most 20 the three together at most 2^n.
        seed: seed of the sequences. It is not the replicate's unless `seed = seed` says so.

    Paper:
        Hochreiter and Schmidhuber (1997), Long short-term memory, Neural Computation 9(8), where random
        weights are shown to solve too easy versions of it.

    Example:
        dataset bits = parity(length=12, train=2000, test=2000)
    """
    sizes = {"train": train, "held_back": held_back, "test": test}
    if length <= LISTED:
        places = parts(2**length, **sizes, seed=seed, source="parity")
        drawn = {name: chosen[:, None] >> np.arange(length) & 1 for name, chosen in places.items()}
    else:
        drawn = {
            name: generator(f"parity.{name}", seed).integers(0, 2, (count, length))
            for name, count in sizes.items()
        }
    splits = {
        name: Split(torch.from_numpy(bits), torch.from_numpy(bits.sum(1) % 2))
        for name, bits in drawn.items()
        if len(bits)
    }
    return Dataset(splits, "classification", (length,), 2, vocabulary=2)
