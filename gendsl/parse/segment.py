"""Where a broken declaration begins and ends.

Declarations are found again by their words: at the start of a line, or wherever the words can only be a
declaration (`train clean {`; inside a block a field is `train = ...`).
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import NamedTuple

from gendsl.parse.driver import advance
from gendsl.parse.lex import END, Tokens
from gendsl.parse.tables import tables
from gendsl.source import Source, Span
from gendsl.words import DECLARING, KINDS

OPENERS = {"(": ")", "[": "]", "{": "}"}
_SLACK = 1
"""Columns by which a declaration may be off: a declaring word that was deleted leaves its space behind."""
CLOSERS = {closer: opener for opener, closer in OPENERS.items()}


@cache
def kind(word: str) -> int:
    """The number of a terminal, by its text or its name."""
    found = tables().literals.get(word)
    return tables().terminals.index(word) if found is None else found


@cache
def _declaring() -> frozenset[int]:
    return frozenset(kind(word) for word in DECLARING)


@cache
def _sure() -> frozenset[tuple[int, ...]]:
    """Kinds of tokens that can only begin a declaration, wherever they stand."""
    name = kind("NAME")
    shapes = [(kind(word), name, kind(sign)) for word in KINDS for sign in ("=", "{", "extends")]
    shapes += [(kind("param"), name, kind(sign)) for sign in ("=", ":")]
    shapes += [(kind("claim"), name, kind(":")), (kind("sweep"), name, kind("in"))]
    shapes += [(kind("sweep"), kind("("), name), (kind("import"), kind("STRING"), kind("as"))]
    return frozenset(shapes)


class Segment(NamedTuple):
    """Tokens `first` to `end` (not included): one declaration that could not be read."""

    source: Source
    tokens: Tokens
    first: int
    end: int
    start: str = "file"

    @classmethod
    def around(cls, source: Source, tokens: Tokens, first: int) -> Segment:
        """The segment from token `first` to the next place where a declaration begins."""
        segment = cls(source, tokens, first, len(tokens.kinds) - 1)
        margin = segment.indentation(first)
        depth = 0
        captioned = tokens.kinds[first] == kind("DOC")
        for at in range(first, segment.end):
            word = tokens.kinds[at]
            if at > first + captioned and segment._begins(at, margin, depth):
                return segment._replace(end=segment._with_caption(at))
            if word in (kind("("), kind("["), kind("{")):
                depth += 1
            elif word in (kind(")"), kind("]"), kind("}")):
                depth -= 1
        return segment

    def _begins(self, at: int, margin: int, depth: int) -> bool:
        kinds = self.tokens.kinds
        if kinds[at - 1] == kind(".") and not self.starts_line(at):
            return False
        if tuple(kinds[at : at + 3]) in _sure():
            return True
        if not self.starts_line(at) or self.indentation(at) > margin + _SLACK:
            return False
        if kinds[at] in _declaring():
            after = {kind(sign) for sign in ("=", ".", ",", ")", "]")}
            return depth <= 0 or kinds[at + 1] not in after
        return kinds[at] == kind("NAME") and depth <= 0

    def _with_caption(self, at: int) -> int:
        kinds = self.tokens.kinds
        if kinds[at - 1] != kind("DOC") or not self.starts_line(at - 1) or at - 1 <= self.first:
            return at
        is_value = kinds[at - 2] in {kind(sign) for sign in ("=", ",", "(", "[")}
        return at if is_value and self.indentation(at - 1) > self.indentation(self.first) else at - 1

    def starts_line(self, at: int) -> bool:
        """Whether token `at` is the first of its line."""
        if at == 0:
            return True
        text, _, starts, ends, _ = self.tokens
        return "\n" in text[ends[at - 1] : starts[at]]

    def indentation(self, at: int) -> int:
        start = self.tokens.starts[at]
        return start - self.tokens.text.rfind("\n", 0, start) - 1

    def may_end_before(self, at: int) -> bool:
        """Whether token `at` stands where another declaration would begin."""
        return self.starts_line(at) and self.indentation(at) <= self.indentation(self.first) + _SLACK

    def is_complete_before(self, at: int) -> bool:
        """Whether the tokens before `at` are a whole declaration."""
        kinds = [*self.tokens.kinds[self.first : at], END]
        return advance([tables().starts[self.start]], kinds) == len(kinds)

    def continues_line(self) -> bool:
        """Whether the segment only seems to begin: in the middle of a line, and not clearly a declaration."""
        return not self.starts_line(self.first) and (
            tuple(self.tokens.kinds[self.first : self.first + 3]) not in _sure()
        )

    def has_caption(self) -> bool:
        return self.tokens.kinds[self.first] == kind("DOC")

    def head(self) -> str:
        """The word that the declaration begins with."""
        return self.tokens.word(self.first + self.has_caption())

    def names(self) -> set[str]:
        """What the declaration would have declared, as far as can be seen."""
        tokens, found = self.tokens, set()
        is_tuple = False
        for at in range(self.first, min(self.first + 12, self.end)):
            word = tokens.kinds[at]
            if word == kind("(") and at > self.first and tokens.kinds[at - 1] == kind("sweep"):
                is_tuple = True
            elif word == kind("NAME"):
                found.add(tokens.word(at))
            elif word == kind("seeds"):
                found.add("seed")
            elif word not in _declaring() and word != kind("DOC") and not (is_tuple and word == kind(",")):
                break
        for first, second in pairwise(range(self.first, min(self.first + 5, self.end))):
            if tokens.kinds[first] == kind("as") and tokens.kinds[second] == kind("NAME"):
                found.add(tokens.word(second))
        return found

    def unclosed(self) -> tuple[int, int] | None:
        """An opening bracket without its partner, and the token where that shows; token numbers."""
        waiting: list[int] = []
        for at in range(self.first, self.end):
            word = self.tokens.word(at)
            if word in OPENERS:
                waiting.append(at)
            elif word in CLOSERS:
                if not waiting:
                    return None
                if self.tokens.word(waiting[-1]) != CLOSERS[word]:
                    return waiting[-1], at
                waiting.pop()
        return (waiting[-1], self.end) if waiting else None

    def stray(self) -> int | None:
        """The first closing bracket that nothing opened."""
        depth = 0
        for at in range(self.first, self.end):
            word = self.tokens.word(at)
            depth += (word in OPENERS) - (word in CLOSERS)
            if depth < 0:
                return at
        return None

    def bracket(self, at: int) -> str:
        """The innermost opening bracket around the place before token `at`, or ''."""
        waiting: list[str] = []
        for token in range(self.first, at):
            word = self.tokens.word(token)
            if word in OPENERS:
                waiting.append(word)
            elif word in CLOSERS and waiting:
                waiting.pop()
        return waiting[-1] if waiting else ""

    def gap(self, at: int) -> Span:
        """The place just before token `at`: right after the token before it."""
        if at == 0:
            return Span(0, 0)
        end = self.tokens.ends[at - 1]
        return Span(end, end)

    def span(self, at: int) -> Span:
        return Span(self.tokens.starts[at], self.tokens.ends[at])
