"""What each part of a text is, for colours in the report, in terminals and in editors."""

from __future__ import annotations

import re

from gendsl.parse.lex import BAD, END, lex
from gendsl.parse.tables import tables
from gendsl.source import Source, Span
from gendsl.words import DECLARING, RESERVED

_COMMENT = re.compile(r"(?:#|//)[^\n]*")
_KINDS = {"NUMBER": "number", "QUANTITY": "number", "STRING": "string", "DOC": "doc", "NAME": "name"}


def tokens(source: Source) -> list[tuple[Span, str]]:
    """Places in order, each with `keyword`, `name`, `number`, `string`, `comment`, `doc` or `operator`.

    Never raises; what cannot be read is left out. A word after a dot, or before `=`, is a name.
    """
    found = lex(source.text)
    names = tables().terminals
    places: list[tuple[Span, str]] = []
    end = 0
    for at, (kind, start, stop) in enumerate(zip(found.kinds, found.starts, found.ends)):
        comments = _COMMENT.finditer(source.text, end, start)
        places += [(Span(comment.start(), comment.end()), "comment") for comment in comments]
        end = stop
        if kind in (BAD, END):
            continue
        word = found.word(at)
        is_word = word in DECLARING or word in RESERVED
        if is_word and (found.word(at + 1) == "=" or (at > 0 and found.word(at - 1) == ".")):
            places.append((Span(start, stop), "name"))
        else:
            shown = "keyword" if is_word else _KINDS.get(names[kind], "operator")
            places.append((Span(start, stop), shown))
    return places
