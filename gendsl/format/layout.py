"""Breaking lines: a document that says where it may break, printed within a width.

After Wadler, "A prettier printer" (2003): a group is printed on one line if it fits, else every line of that
group breaks, and the groups inside are tried again.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

WIDTH = 100
INDENT = 4


class Line(NamedTuple):
    """A line break, or `flat` where its group is on one line; `blank` puts an empty line before."""

    flat: str = " "
    forced: bool = False
    blank: bool = False


class Indent(NamedTuple):
    inner: Doc


class Group(NamedTuple):
    inner: Doc
    breaks: bool


class Broken(NamedTuple):
    """Text that is only there where the group breaks: a trailing comma."""

    text: str


class Comment(NamedTuple):
    """Goes to the end of the line, wherever that turns out to be."""

    text: str


Doc: TypeAlias = "str | list[Doc] | Line | Indent | Group | Broken | Comment"

SPACE = Line()
SOFT = Line("")
HARD = Line(forced=True)
BLANK = Line(forced=True, blank=True)


def group(inner: Doc) -> Group:
    """A group; it breaks where it holds a forced break, or a comment before one of its own breaks."""
    waiting: list[tuple[Doc, bool]] = [(inner, True)]
    has_comment = False
    while waiting:
        doc, is_own = waiting.pop()
        if isinstance(doc, list):
            waiting += [(part, is_own) for part in reversed(doc)]
        elif isinstance(doc, Indent):
            waiting.append((doc.inner, is_own))
        elif isinstance(doc, Group):
            if doc.breaks:
                return Group(inner, True)
            waiting.append((doc.inner, False))
        elif isinstance(doc, Comment):
            has_comment = True
        elif isinstance(doc, Line) and (doc.forced or (has_comment and is_own)):
            return Group(inner, True)
    return Group(inner, False)


def printed(document: Doc) -> str:
    """The document as text, each line within the width where that is possible."""
    out: list[str] = []
    comments: list[str] = []
    column, margin = 0, 0
    waiting: list[tuple[int, bool, Doc]] = [(0, True, document)]
    while waiting:
        indent, breaks, doc = waiting.pop()
        if isinstance(doc, str):
            if doc:
                out += [" " * margin, doc]
                # A three-quoted text brings its own line breaks.
                column = column + margin + len(doc) if "\n" not in doc else len(doc) - doc.rfind("\n") - 1
                margin = 0
        elif isinstance(doc, list):
            waiting += [(indent, breaks, part) for part in reversed(doc)]
        elif isinstance(doc, Indent):
            waiting.append((indent + INDENT, breaks, doc.inner))
        elif isinstance(doc, Comment):
            comments.append(doc.text)
        elif isinstance(doc, Broken):
            waiting += [(indent, breaks, doc.text)] if breaks else []
        elif isinstance(doc, Group):
            is_broken = doc.breaks or not _fits(WIDTH - column - margin, doc.inner, waiting)
            waiting.append((indent, is_broken, doc.inner))
        elif breaks or doc.forced:
            out += ["  " + "  ".join(comments)] if comments else []
            out.append("\n\n" if doc.blank else "\n")
            comments, column, margin = [], 0, indent
        else:
            waiting.append((indent, breaks, doc.flat))
    out += ["  " + "  ".join(comments)] if comments else []
    return "".join(out)


def _fits(room: int, inner: Doc, after: list[tuple[int, bool, Doc]]) -> bool:
    """Whether `inner` on one line, and what follows it up to the next break, takes at most `room` columns."""
    waiting: list[tuple[bool, Doc]] = [(False, inner)]
    at = len(after)
    while room >= 0:
        if not waiting:
            if at == 0:
                return True
            at -= 1
            waiting.append(after[at][1:])
        breaks, doc = waiting.pop()
        if isinstance(doc, str):
            if "\n" in doc:
                return len(doc.partition("\n")[0]) <= room
            room -= len(doc)
        elif isinstance(doc, list):
            waiting += [(breaks, part) for part in reversed(doc)]
        elif isinstance(doc, Indent):
            waiting.append((breaks, doc.inner))
        elif isinstance(doc, Group):
            waiting.append((breaks and doc.breaks, doc.inner))
        elif isinstance(doc, Broken):
            room -= len(doc.text) if breaks else 0
        elif isinstance(doc, Line):
            if breaks or doc.forced:
                return True
            room -= len(doc.flat)
    return False
