"""Text to tokens, by the terminals of the grammar.

The lexer never stops. What belongs to other languages (`&&`, `'text'`, `// a comment`, `;`) is read as what
was meant and reported; what cannot be read at all becomes a token that no rule takes.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from gendsl.parse.tables import tables

END = 0
BAD = -1
"""A token that fits nowhere: an illegal character, an unclosed text."""

# What others write, and what it is here.
FOREIGN = {
    "&&": "and",
    "||": "or",
    "!": "not",
    "&": "and",
    "|": "or",
    "^": "**",
    "−": "-",
    "×": "*",
    "≤": "<=",
    "≥": ">=",
    "≠": "!=",
    "…": "..",
    "...": "..",
    "True": "true",
    "False": "false",
    "None": "none",
}
_FAULTS = {"word": "foreign", "comment": "slashes"}
_SIGNS = [word for word in FOREIGN if not word.isalpha()]


class Fault(NamedTuple):
    """Something the lexer could read only by guessing, or not at all; `kind` says which."""

    kind: str
    start: int
    end: int
    token: int
    """The number of the token at or after the place."""


class Tokens(NamedTuple):
    """Parallel lists, one element a token; the last token is the end of the text."""

    text: str
    kinds: list[int]
    starts: list[int]
    ends: list[int]
    faults: list[Fault]

    def word(self, at: int) -> str:
        return self.text[self.starts[at] : self.ends[at]]


class _Lexer(NamedTuple):
    pattern: re.Pattern[str]
    kinds: tuple[int | str, ...]
    """By group: the kind of token, or what to do with it."""
    words: dict[str, int]


@cache
def _lexer() -> _Lexer:
    source = tables()
    numbers = {name: number for number, name in enumerate(source.terminals)}
    words = dict(source.literals)
    words["=="] = words["!="] = words["<="] = words[">="] = numbers["COMPARE"]
    for foreign, meant in FOREIGN.items():
        words[foreign] = words[meant]
    signs = sorted((word for word in source.literals if not word.isalpha()), key=len, reverse=True)
    ignored = "|".join(pattern for name, pattern in source.patterns if name in source.ignored)
    groups: list[tuple[int | str, str]] = [("comment", r"//[^\n]*"), ("foreign", r"\.\.\.")]
    groups += [
        (numbers[n] if n != "NAME" else "word", p) for n, p in source.patterns if n not in source.ignored
    ]
    groups += [
        ("foreign", "|".join(map(re.escape, _SIGNS))),
        ("sign", "|".join(map(re.escape, signs))),
        ("doc", r'"""[\s\S]*'),
        ("quote", r"'[^'\n]*'"),
        ("text", r"[\"'][^\n]*"),
        ("noise", r";"),
        ("bad", r"[^\s\w\"'#()\[\]{}=.,:+*/<>!&|;-]+|[\s\S]"),
    ]
    body = "|".join(f"({pattern})" for _, pattern in groups)
    return _Lexer(re.compile(f"(?:{ignored})*(?:{body}|)"), (END, *(kind for kind, _ in groups)), words)


def lex(text: str) -> Tokens:
    """All tokens of `text`."""
    lexer = _lexer()
    by_group, words = lexer.kinds, lexer.words
    name, quoted = tables().terminals.index("NAME"), tables().terminals.index("STRING")
    tokens = Tokens(text, [], [], [], [])
    add_kind, add_start, add_end = tokens.kinds.append, tokens.starts.append, tokens.ends.append
    for match in lexer.pattern.finditer(text):
        group = match.lastindex
        if group is None:
            continue
        start, end = match.span(group)
        kind = by_group[group]
        if type(kind) is str:
            word = text[start:end]
            if kind == "word" and word not in FOREIGN:
                kind = words.get(word, name)
            elif kind == "sign":
                kind = words[word]
            else:
                fault = _FAULTS.get(kind, kind)
                if fault == "foreign" and text[start - 1 : start] == ".":
                    kind = name
                else:
                    tokens.faults.append(Fault(fault, start, end, len(tokens.kinds)))
                    if fault in ("slashes", "noise"):
                        continue
                    kind = words[word] if fault == "foreign" else quoted if fault == "quote" else BAD
        add_kind(kind)  # type: ignore[arg-type]
        add_start(start)
        add_end(end)
    add_kind(END)
    add_start(len(text))
    add_end(len(text))
    return tokens
