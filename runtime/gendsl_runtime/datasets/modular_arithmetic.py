"""Tables of arithmetic modulo a number."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal

import numpy as np
import torch

from gendsl_runtime.component import Count, Seed, Share, dataset
from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.problem import Problem
from gendsl_runtime.random import generator

OPERATIONS: Mapping[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = MappingProxyType(
    {
        "add": lambda a, b: a + b,
        "subtract": lambda a, b: a - b,
        "multiply": lambda a, b: a * b,
        "squares": lambda a, b: a**2 + b**2,
        "quadratic": lambda a, b: a**2 + a * b + b**2,
        "cubic": lambda a, b: a**3 + a * b,
    }
)
LARGEST = 1000
"""Modulus; a table has its square of rows, and cubes stay far from the end of int64."""


@dataset(
    version=1,
    task="classification",
    inputs="tokens",
    shape=(3,),
    outputs="modulus",
    splits={"train": None, "test": None},
    paper="power2022grokking",
)
def modular_arithmetic(
    *,
    modulus: Count = 97,
    operation: Literal["add", "subtract", "multiply", "divide", "squares", "quadratic", "cubic"] = "add",
    train: Share = 0.5,
    seed: Seed = 0,
) -> Dataset:
    """All equations `a o b = c` modulo p, a share of them to train on: the data of grokking.

    An example is the three tokens `a`, `b`, `=`; the answer c, one of p classes, is to be predicted after the
    last (Power et al. 2022). Numbers are the tokens 0 to p - 1 and `=` is p, so the vocabulary is p + 1. All
    p^2 pairs are there once, in random order; `train` takes the first, `test` all others. With one `seed` a
    larger `train` holds every smaller one.

    The operations are `a + b`, `a - b`, `a b`, `a / b` (b is not zero, and p must be prime: p (p - 1) pairs),
    `squares`, a^2 + b^2, `quadratic`, a^2 + a b + b^2, and `cubic`, a^3 + a b.

    Args:
        modulus: p, at most 1000.
        operation: what is to be found out about a and b.
        train: share of all pairs to train on, rounded to whole pairs.
        seed: seed of the split. It is not the replicate's unless `seed = seed` says so.

    Paper:
        Power, Burda, Edwards, Babuschkin and Misra (2022), Grokking: generalization beyond overfitting on
        small algorithmic datasets, appendix A.1.

    Example:
        dataset sums = modular_arithmetic(modulus=97, train=30%)
    """
    if modulus > LARGEST:
        raise Problem(
            "bad-data",
            f"`modular_arithmetic` has a table of {modulus} x {modulus} pairs",
            help=f"give a `modulus` of at most {LARGEST}",
        )
    left, right, answers = _table(modulus, operation)
    tokens = np.stack([left, right, np.full_like(left, modulus)], 1)
    order = generator("modular_arithmetic", seed).permutation(len(answers))
    count = round(train * len(answers))
    places = {"train": order[:count], "test": order[count:]}
    if not count:
        raise Problem(
            "bad-data",
            f"`modular_arithmetic` has nothing to train on: {train:.2%} of {len(answers)} pairs",
            help="raise `train`",
        )
    whole = Split(torch.from_numpy(tokens), torch.from_numpy(answers))
    splits = {name: whole.take(chosen) for name, chosen in places.items() if len(chosen)}
    return Dataset(splits, "classification", (3,), modulus, vocabulary=modulus + 1)


def _table(modulus: int, operation: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All pairs, and the answer to each, `(pairs,)`."""
    numbers = np.arange(modulus)
    left, right = (side.flatten() for side in np.meshgrid(numbers, numbers, indexing="ij"))
    if operation != "divide":
        return left, right, OPERATIONS[operation](left, right) % modulus
    if modulus < 2 or any(modulus % factor == 0 for factor in range(2, int(modulus**0.5) + 1)):
        raise Problem(
            "bad-data",
            f"`modular_arithmetic` cannot divide modulo {modulus}, which is not prime",
            help="give a prime `modulus`, such as 97",
        )
    # With c = a / b, a = c b: every pair of a quotient and a divisor is one of a dividend and a divisor.
    divisor, quotient = right[right > 0], left[right > 0]
    return quotient * divisor % modulus, divisor, quotient
