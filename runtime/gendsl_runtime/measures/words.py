"""Words of the Lempel-Ziv parsing of a sequence."""

from __future__ import annotations

import math
from collections.abc import Sequence


def words(symbols: Sequence[int]) -> int:
    """How many words the exhaustive history of a sequence has (Lempel and Ziv 1976).

    Read from the left, each word is the shortest piece that does not occur in what comes before its own last
    symbol; the last word may be an incomplete one and counts.
    """
    text = "".join(chr(symbol) for symbol in symbols)
    count, start = 0, 0
    while start < len(text):
        length, seen = 1, 0
        # A longer piece cannot occur before the shorter one first does.
        while start + length <= len(text):
            seen = text.find(text[start : start + length], seen, start + length - 1)
            if seen < 0:
                break
            length += 1
        start += length
        count += 1
    return count


def lempel_ziv(symbols: Sequence[int]) -> float:
    """Complexity in bits, `log2(n) (words forwards + words backwards) / 2`, and `log2(n)` of a constant sequence
    (Valle-Perez, Camargo and Louis 2019, appendix A, after Dingle, Camargo and Louis 2018)."""
    unit = math.log2(len(symbols))
    if len(set(symbols)) == 1:
        return unit
    return unit * (words(symbols) + words(symbols[::-1])) / 2
