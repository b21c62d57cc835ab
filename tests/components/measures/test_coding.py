"""Code lengths: against a real arithmetic coder, exact in whole numbers, that is read back."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy.stats import entropy

from gendsl_runtime.measures import coding
from tests.components.measures.arithmetic_coder import decoded, encoded


@pytest.mark.parametrize("seed", range(6))
def test_length_is_that_of_a_code_that_can_be_read(seed: int) -> None:
    chance = np.random.default_rng(seed)
    levels = int(chance.integers(2, 8))
    places = chance.choice(levels, p=chance.dirichlet(np.ones(levels)), size=60)
    counts = np.bincount(places, minlength=levels).tolist()
    code = encoded(places.tolist(), counts)
    assert decoded(code, counts) == places.tolist()
    assert len(code) == coding.arithmetic_bits(places, levels)
    ideal = 60 * entropy(np.array(counts) / 60, base=2)
    assert ideal <= len(code) <= ideal + 2


def test_no_code_begins_with_another() -> None:
    """All 12 sequences with counts (2, 1, 1): a prefix-free code, so Kraft's sum is at most 1."""
    codes = {encoded(list(order), [2, 1, 1]) for order in itertools.permutations([0, 0, 1, 2])}
    assert len(codes) == 12
    assert not any(a != b and b.startswith(a) for a in codes for b in codes)


def test_one_level_takes_one_bit() -> None:
    assert coding.arithmetic_bits(np.zeros(30, dtype=int), 1) == 1


def test_whole_message() -> None:
    code = coding.quantised(np.array([0.1, 0.1, -0.4, 0.12]), np.array([-0.4, 0.1]))
    assert code.places.tolist() == [1, 1, 0, 1]
    assert coding.message_bits(code) == coding.arithmetic_bits(code.places, 2) + 2 * 3 + 2 * 16
    np.testing.assert_array_equal(code.values, np.array([0.1, 0.1, -0.4, 0.1]).astype(np.float16))
    assert coding.universal_nats(100) == pytest.approx(100 * math.log(2) + 2 * math.log(100))


@pytest.mark.parametrize("seed", range(4))
def test_clusters_are_a_fixed_point_and_near_the_best(seed: int) -> None:
    """Each centre is the mean of what is nearest to it; the cost is within 15% of the best of all 2-cluster cuts."""
    numbers = np.random.default_rng(seed).standard_normal(41)
    for levels in (1, 2, 5):
        centres = coding.clusters(numbers, levels)
        nearest = np.abs(numbers[:, None] - centres).argmin(1)
        means = [numbers[nearest == k].mean() for k in range(levels)]
        np.testing.assert_allclose(centres, means, atol=1e-12)
    ordered = np.sort(numbers)
    best = min(np.var(ordered[:k]) * k + np.var(ordered[k:]) * (41 - k) for k in range(1, 41))
    centres = coding.clusters(numbers, 2)
    assert (np.abs(numbers[:, None] - centres).min(1) ** 2).sum() < 1.15 * best


def test_values_are_nearest() -> None:
    numbers = np.random.default_rng(0).standard_normal(100)
    code = coding.quantised(numbers, coding.clusters(numbers, 7))
    expected = np.abs(numbers[:, None] - code.codebook.astype(float)).min(1)
    np.testing.assert_allclose(np.abs(numbers - code.values), expected, atol=1e-15)


def whole_numbers(counts: list[int]) -> int:
    """`ceil(log2(total^total / prod c^c)) + 1` in whole numbers alone."""
    above, below = sum(counts) ** sum(counts), math.prod(count**count for count in counts)
    bits = 0
    while below << bits < above:
        bits += 1
    return bits + 1


@pytest.mark.parametrize(
    "counts", [[1, 1], [64, 64], [128] * 8, [3, 1], [0, 5], [1], [1, 2**9 - 1], [256, 128, 128]]
)
def test_lengths_that_are_whole_numbers_are_not_rounded_up(counts: list[int]) -> None:
    places = np.repeat(np.arange(len(counts)), counts)
    assert coding.arithmetic_bits(places, len(counts)) == whole_numbers(counts)


def test_lengths_of_many_counts_are_exact() -> None:
    chance = np.random.default_rng(1)
    for _ in range(300):
        counts = chance.integers(0, 40, int(chance.integers(2, 6))) + 1
        places = np.repeat(np.arange(len(counts)), counts)
        assert coding.arithmetic_bits(places, len(counts)) == whole_numbers(counts.tolist())
