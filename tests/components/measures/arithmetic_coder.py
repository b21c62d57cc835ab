"""An arithmetic coder, exact in fractions, for sequences whose counts are known to the reader."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction


def encoded(places: list[int], counts: list[int]) -> str:
    """The bits of the middle of the sequence's interval, as many as Shannon-Fano-Elias needs."""
    total, below = sum(counts), [0, *itertools.accumulate(counts)]
    low, width = Fraction(0), Fraction(1)
    for place in places:
        low += width * Fraction(below[place], total)
        width *= Fraction(counts[place], total)
    bits = 0
    while Fraction(1, 2**bits) > width:
        bits += 1
    bits += 1
    point = math.floor((low + width / 2) * 2**bits)
    return format(point, f"0{bits}b")


def decoded(code: str, counts: list[int]) -> list[int]:
    total, below = sum(counts), [0, *itertools.accumulate(counts)]
    point = Fraction(int(code, 2), 2 ** len(code))
    low, width, found = Fraction(0), Fraction(1), []
    for _ in range(total):
        place = max(
            k for k in range(len(counts)) if counts[k] and low + width * Fraction(below[k], total) <= point
        )
        low += width * Fraction(below[place], total)
        width *= Fraction(counts[place], total)
        found.append(place)
    return found
