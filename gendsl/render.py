"""Diagnostics as people read them: message, place, excerpt with the place underlined, what to do."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from gendsl.diagnostic import Diagnostic
from gendsl.source import Source, Span

WIDTH = 100
"""Columns of the longest excerpt; longer lines are cut around the place."""

_COLORS = {"error": "\033[1;31m", "warning": "\033[1;33m", "place": "\033[1;34m", "bold": "\033[1m"}
_PLAIN = "\033[0m"


class _Mark(NamedTuple):
    """One underlined place; the first of a diagnostic is its main one."""

    source: Source
    span: Span
    text: str
    is_main: bool


def render(diagnostics: Iterable[Diagnostic], *, color: bool) -> str:
    """All diagnostics in the order of their places, and a line that counts them; '' where there are none."""
    found = in_order(diagnostics)
    if not found:
        return ""
    parts = [_one(diagnostic, _Painter(color)) for diagnostic in found]
    return "\n".join([*parts, count(found) + "\n"])


def in_order(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Sorted by place; files stay in the order in which they first appear."""
    found = list(diagnostics)
    files = {path: number for number, path in enumerate(dict.fromkeys(d.source.path for d in found))}
    return sorted(found, key=lambda d: (files[d.source.path], d.span.start, d.severity))


def count(diagnostics: Sequence[Diagnostic]) -> str:
    """`2 errors, 1 warning`."""
    errors = sum(d.severity == "error" for d in diagnostics)
    counts = [(errors, "error"), (len(diagnostics) - errors, "warning")]
    return ", ".join(f"{number} {word}{'s' * (number != 1)}" for number, word in counts if number)


class _Painter(NamedTuple):
    is_on: bool

    def __call__(self, text: str, style: str) -> str:
        return f"{_COLORS[style]}{text}{_PLAIN}" if self.is_on and text else text


def _one(diagnostic: Diagnostic, paint: _Painter) -> str:
    main = _Mark(diagnostic.source, diagnostic.span, diagnostic.note, True)
    others = [
        _Mark(label.source or diagnostic.source, label.span, label.text, False) for label in diagnostic.labels
    ]
    marks = [main, *others]
    last = max((mark.source.position(mark.span.start).line for mark in marks), default=1)
    margin = len(str(last))
    head = f"{diagnostic.severity}[{diagnostic.code}]"
    lines = [paint(head, diagnostic.severity) + paint(f": {diagnostic.message}", "bold")]
    sources = list(dict.fromkeys(id(mark.source) for mark in marks))
    for number, source in enumerate(sources):
        lines += _excerpt([m for m in marks if id(m.source) == source], margin, number == 0, paint)
    if diagnostic.help:
        has_excerpt = bool(diagnostic.source.text)
        lines += [paint(f"{'':{margin}} |", "place")] if has_excerpt else []
        first, *more = diagnostic.help.splitlines() or [""]
        lines.append(f"{'':{margin}} {paint('=', 'place')} help: {first}")
        lines += [f"{'':{margin}}         {line}" for line in more]
    return "\n".join(lines) + "\n"


def _excerpt(marks: list[_Mark], margin: int, is_first: bool, paint: _Painter) -> list[str]:
    """The lines of one file that are marked, in their order."""
    source = marks[0].source
    arrow = "-->" if is_first else ":::"
    if not source.text:
        return [f"{'':{margin}}{paint(arrow, 'place')} {source.path}"]
    place = source.position(marks[0].span.start)
    bar = paint(f"{'':{margin}} |", "place")
    lines = [f"{'':{margin}}{paint(arrow, 'place')} {source.path}:{place.line}:{place.column}", bar]
    by_line: dict[int, list[_Mark]] = {}
    for mark in sorted(marks, key=lambda mark: mark.span):
        by_line.setdefault(source.position(mark.span.start).line, []).append(mark)
    before = None
    for number, here in by_line.items():
        if before is not None and number > before + 1:
            lines.append(paint("...", "place"))
        lines += _marked_line(source, number, here, margin, paint)
        before = number
    return lines


def _marked_line(source: Source, number: int, marks: list[_Mark], margin: int, paint: _Painter) -> list[str]:
    text = source.line(number)
    start = source.line_starts[number - 1]
    places = []
    for mark in marks:
        first = min(mark.span.start - start, len(text))
        places.append((first, max(first + 1, min(mark.span.end - start, len(text) + 1))))
    low, high = _window(text, places[0])
    shown = ("…" if low else "") + _visible(text[low:high]) + ("…" if high < len(text) else "")
    lines = [paint(f"{number:{margin}} |", "place") + (f" {shown}" if shown else "")]
    for mark, (first, end) in zip(marks, places):
        if not low <= first <= high:
            continue
        indent = bool(low) + len_shown(text[low:first])
        length = max(1, len_shown(text[first : min(end, high)]))
        sign = "^" if mark.is_main else "-"
        underline = paint(sign * length, "error" if mark.is_main else "place")
        note = f" {mark.text}" if mark.text else ""
        lines.append(paint(f"{'':{margin}} |", "place") + " " + " " * indent + underline + note)
    return lines


def _window(text: str, place: tuple[int, int]) -> tuple[int, int]:
    """The part of a long line that is shown: as much as fits, with the marked place inside."""
    if len_shown(text) <= WIDTH:
        return 0, len(text)
    low = max(0, min(place[0] - WIDTH // 3, len(text) - WIDTH + 2))
    high = low
    width = 0
    while high < len(text) and width < WIDTH - 2:
        width += len_shown(text[high])
        high += 1
    return low, high


def _visible(text: str) -> str:
    """Tabs as four spaces, what cannot be printed as a dot."""
    return "".join("    " if letter == "\t" else letter if letter.isprintable() else "·" for letter in text)


def len_shown(text: str) -> int:
    """Columns of a terminal that `text` takes: a tab four, a wide letter two, a combining one none."""
    if text.isascii() and "\t" not in text:
        return len(text)
    return sum(
        4
        if letter == "\t"
        else 0
        if unicodedata.combining(letter)
        else 2
        if unicodedata.east_asian_width(letter) in "WF"
        else 1
        for letter in text
    )
