"""Guesses are uniform, and follow the seed and their number alone; `test_search.py` has the search itself."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gendsl_runtime.optimizers.guess import guess
from gendsl_runtime.train.search import BLOCK, drawn


def made(**given):
    values = {"low": -1.0, "high": 1.0, **given}
    return guess(**{name: torch.tensor([value, 2 * value]) for name, value in values.items()}, population=10)


def test_guesses_are_uniform_between_the_bounds() -> None:
    values = drawn(made(low=-1.0, high=3.0), 0, 5, 0, 4 * BLOCK, 50)
    assert values.dtype == np.float32 and values.shape == (4 * BLOCK, 50)
    assert values.min() >= -1 and values.max() < 3
    ranks = (np.sort(values, axis=None) + 1) / 4
    distance = np.abs(ranks - np.linspace(0, 1, ranks.size)).max()
    assert distance < 1.95 / np.sqrt(ranks.size)  # Kolmogorov-Smirnov at 0.001


def test_each_member_has_its_own_bounds() -> None:
    one, other = (drawn(made(), row, 5, 0, BLOCK, 3) for row in (0, 1))
    np.testing.assert_array_equal(other, 2 * one)


@pytest.mark.parametrize("after", [0, 1, BLOCK - 1, BLOCK, 3 * BLOCK + 5])
@pytest.mark.parametrize("count", [1, BLOCK, 2 * BLOCK + 1])
def test_a_guess_is_a_function_of_its_number(after, count) -> None:
    whole = drawn(made(), 0, 9, 0, 8 * BLOCK, 6)
    np.testing.assert_array_equal(drawn(made(), 0, 9, after, count, 6), whole[after : after + count])
