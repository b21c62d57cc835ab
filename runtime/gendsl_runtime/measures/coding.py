"""How many bits it takes to write down quantised numbers, and how they are quantised."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

VALUE_BITS = 16
"""A value of the codebook is written as float16."""
ITERATIONS = 200


class Quantised(NamedTuple):
    """Numbers as places in a codebook of float16 values."""

    places: np.ndarray
    """int64 `(numbers,)`."""
    codebook: np.ndarray
    """float16 `(levels,)`, ascending."""

    @property
    def values(self) -> np.ndarray:
        """What a reader of the code gets, float64."""
        values: np.ndarray = self.codebook.astype(np.float64)[self.places]
        return values


def clusters(numbers: np.ndarray, levels: int) -> np.ndarray:
    """Centres `(levels,)` of k-means on a line, ascending: Lloyd's iteration from evenly spaced quantiles, to its fixed
    point. Clusters on a line are intervals, so their means are differences of running sums."""
    ordered = np.sort(np.asarray(numbers, dtype=np.float64))
    sums = np.concatenate([[0.0], np.cumsum(ordered)])
    centres = np.quantile(ordered, (np.arange(levels) + 0.5) / levels)
    for _ in range(ITERATIONS):
        inner = np.searchsorted(ordered, (centres[1:] + centres[:-1]) / 2)
        edges = np.concatenate([[0], inner, [len(ordered)]])
        counts = np.diff(edges)
        means = np.diff(sums[edges]) / np.maximum(counts, 1)
        moved = np.where(counts > 0, means, centres)
        if np.array_equal(moved, centres):
            break
        centres = moved
    return centres


def quantised(numbers: np.ndarray, centres: np.ndarray) -> Quantised:
    """Each number as the nearest value of the codebook, whose values are the centres rounded to float16; of centres
    beyond its range (65504) the end."""
    largest = float(np.finfo(np.float16).max)
    codebook = np.sort(np.clip(np.asarray(centres), -largest, largest).astype(np.float16))
    values = codebook.astype(np.float64)
    places = np.searchsorted((values[1:] + values[:-1]) / 2, np.asarray(numbers, dtype=np.float64))
    return Quantised(places, codebook)


def arithmetic_bits(places: np.ndarray, levels: int) -> int:
    """Bits of an arithmetic code of a sequence whose counts are known: `ceil(-sum_i log2 p_i) + 1` with p the shares.

    Shannon-Fano-Elias on the whole sequence: its interval of length `prod p` holds a dyadic one of this many bits, and
    no code begins with another one. Exact: where the logarithm in floating point is too near to a whole number to be
    rounded up, the product is taken as a ratio of whole numbers and compared with powers of 2.
    """
    counts = np.bincount(places, minlength=levels)
    total = int(counts.sum())
    ideal = math.fsum(int(c) * math.log2(total / int(c)) for c in counts if c)
    slack = 4 * float(np.finfo(float).eps) * (ideal + total)
    if math.ceil(ideal - slack) == math.ceil(ideal + slack):
        return math.ceil(ideal) + 1
    numerator: int = total**total
    denominator = math.prod(int(c) ** int(c) for c in counts)
    # ceil(log2(a / b)): the least k with b 2^k >= a.
    bits = max(0, numerator.bit_length() - denominator.bit_length() - 1)
    while (denominator << bits) < numerator:
        bits += 1
    return int(bits) + 1


def count_bits(numbers: int, levels: int) -> int:
    """Bits of the counts of all levels, each from 0 to `numbers`."""
    return levels * math.ceil(math.log2(numbers + 1))


def message_bits(code: Quantised) -> int:
    """Bits of the whole message: the sequence, the counts, and the codebook."""
    levels = len(code.codebook)
    return arithmetic_bits(code.places, levels) + count_bits(len(code.places), levels) + VALUE_BITS * levels


def universal_nats(bits: int) -> float:
    """`bits log 2 + 2 log bits`: minus the logarithm of a prior that is at least `2^-K(h)`, where `K(h)`, the length of
    a message that ends by itself, is at most `bits + 2 log2 bits` (Lotfi et al. 2022, equation 2)."""
    return bits * math.log(2) + 2 * math.log(bits)
