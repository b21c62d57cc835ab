"""Which single sign would mend a declaration.

Signs are put in, exchanged or taken out near the place where reading stopped; a repair counts where it makes
the whole declaration readable.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from gendsl.parse.driver import advance
from gendsl.parse.segment import CLOSERS, Segment, kind
from gendsl.parse.tables import tables
from gendsl.words import DECLARING, RESERVED

REACH = 10
"""How many tokens before the place where reading stopped a sign may be missing."""
_NEAR = 4
"""Farther back than this only a bracket or the name of a component is looked for."""
_AHEAD = 400
"""Tokens after that place which a repair must make readable."""

_SIGNS = ("=", ":", "as", "{", "extends", ",", ")", "]", "}")
BETWEEN = ("at", "for", "(", "[", ".", "+", "COMPARE", "..", "where")
COMPARISONS = ("<", "<=", "==", "!=", ">=", ">", "in")
OPERATORS = frozenset(("+", "COMPARE", "..", "where"))


class Repair(NamedTuple):
    """`word` put in before token `at` (or in its place) makes the declaration readable."""

    way: str
    at: int
    word: str


class Trial:
    """Tries repairs near the place where reading stopped."""

    def __init__(self, kinds: list[int], local: int, start: str) -> None:
        self.kinds, self.local = kinds, local
        self.until = min(len(kinds), local + _AHEAD)
        self.stacks: dict[int, list[int]] = {}
        states, read = [tables().starts[start]], 0
        for stop in range(max(0, local - REACH), local + 1):
            read = advance(states, kinds[:stop], read)
            self.stacks[stop] = list(states)

    def works(self, at: int, words: tuple[str, ...], *, skip: int = 0) -> bool:
        """Whether `words` before local token `at`, in the place of the next `skip` ones, make it readable."""
        states = self.stacks.get(at)
        if states is None:
            return False
        kinds = [kind(word) for word in words] + self.kinds[at + skip : self.until]
        return advance(list(states), kinds) == len(kinds)

    def repairs(self, segment: Segment, at: int) -> Iterator[Repair]:
        """Repairs that work, the likeliest first."""
        first, local = segment.first, self.local
        word = segment.tokens.word(at) if at < segment.end else ""
        is_next_field = word == "=" and not segment.starts_line(at) and segment.starts_line(at - 1)
        if is_next_field and self.works(local - 1, ("NAME",)):
            yield Repair("add", at - 1, "NAME")
        head = segment.head()
        for other in _exchanges(word, head):
            if self.works(local, (other,), skip=1):
                yield Repair("exchange", at, other)
        for place in range(local, max(-1, local - REACH), -1):
            near = (("in",), *_ADDED) if head in ("sweep", "param") else _ADDED
            for added in near if place > local - _NEAR else _FAR:
                if self.works(place, added):
                    yield Repair("add", first + place, " ".join(added))
        for place in (local, local - 1):
            if self.works(place, (), skip=1):
                yield Repair("drop", first + place, "")
        for place in (local, local - 1):
            for other in ("NAME", *_SIGNS, "STRING", "QUANTITY", "+"):
                if self.works(place, (other,), skip=1):
                    yield Repair("exchange", first + place, other)


_FAR = (("(",), ("[",), ("NAME",))
_ADDED: tuple[tuple[str, ...], ...] = (
    *((word,) for word in _SIGNS),
    ("NAME",),
    ("STRING",),
    ("QUANTITY",),
    *((word,) for word in BETWEEN),
    ("=", "NAME"),
    ("as", "NAME"),
    ("in", "NAME"),
    (":", "NAME"),
)


def _exchanges(word: str, head: str) -> tuple[str, ...]:
    """What may have been meant by `word`, where it cannot stand, in a declaration that begins with `head`."""
    if word in DECLARING or word in RESERVED:
        return ("NAME",)
    if word in CLOSERS:
        return tuple(closer for closer in CLOSERS if closer != word)
    if word in (":", "=") and head == "sweep":
        return ("in",)
    if word == "=" and head == "claim":
        return (":", "COMPARE")
    return ("=",) if word in (":", "==") else ()
