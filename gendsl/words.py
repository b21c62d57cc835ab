"""The closed set of words, and the nearest one to a misspelt one."""

from __future__ import annotations

from collections.abc import Iterable

KINDS = (
    "experiment",
    "dataset",
    "model",
    "optimizer",
    "train",
    "analysis",
    "plot",
    "report",
    "preset",
    "let",
)
"""Words of the forms `KIND name = value`, `KIND name { }` and `KIND name extends base { }`."""

DECLARING = ("import", "param", "sweep", "seeds", "claim", *KINDS)
"""A declaration begins with one of these. Each is also a fine field name: `model = net`, `rings.train`."""

RESERVED = (
    "and",
    "or",
    "not",
    "in",
    "by",
    "at",
    "where",
    "for",
    "extends",
    "as",
    "true",
    "false",
    "none",
    "until",
)
"""Words with a meaning inside a declaration. Nothing may be named like one of these, or like a declaring
word."""


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate that was probably meant by `word`, or None where nothing is close.

    Close means: equal but for case and underscores, or at most one slip in three letters (a slip: a letter
    too many, missing, wrong, or two neighbours swapped), or the beginning of just one candidate.
    """
    names = sorted(set(candidates) - {word})
    plain = _plain(word)
    for name in names:
        if _plain(name) == plain:
            return name
    limit = max(1, (len(plain) + 1) // 3)
    scored = [(_slips(plain, _plain(name), limit), name) for name in names if len(name) > 1]
    near = min((pair for pair in scored if pair[0] <= min(limit, len(pair[1]) - 1)), default=None)
    if near is not None:
        return near[1]
    longer = [name for name in names if len(plain) >= 3 and _plain(name).startswith(plain)]
    return longer[0] if len(longer) == 1 else None


def _plain(word: str) -> str:
    return word.lower().replace("_", "").replace("-", "")


def _slips(one: str, other: str, limit: int) -> int:
    """The optimal string alignment distance; `limit + 1` as soon as it is known to be larger than `limit`."""
    if abs(len(one) - len(other)) > limit:
        return limit + 1
    older, above = [0] * (len(other) + 1), list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        row = [i]
        for j, b in enumerate(other, 1):
            best = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                best = min(best, older[j - 2] + 1)
            row.append(best)
        if min(row) > limit and min(above) > limit:
            return limit + 1
        older, above = above, row
    return above[-1]
