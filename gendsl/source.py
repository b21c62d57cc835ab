"""A source text and places in it."""

from __future__ import annotations

import os
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, NoReturn


class Span(NamedTuple):
    """A half-open range of character offsets of one source text."""

    start: int
    end: int

    def to(self, other: Span) -> Span:
        """The span from the beginning of this one to the end of `other`."""
        return Span(self.start, other.end)


class Position(NamedTuple):
    """A place as people count: lines and columns from 1, columns in characters."""

    line: int
    column: int


@dataclass(frozen=True)
class Source:
    """The text of one file; `path` is what the user typed, used in messages."""

    text: str
    path: str

    @classmethod
    def read(cls, path: str | Path) -> Source:
        r"""The text of a spec file; a byte order mark is dropped and line ends become `\n`.

        Raises DiagnosticError where the file is missing, unreadable, not text or larger than 10 MB.
        """
        return read(path)

    @cached_property
    def line_starts(self) -> list[int]:
        starts = [0]
        find = self.text.find
        at = find("\n")
        while at >= 0:
            starts.append(at + 1)
            at = find("\n", at + 1)
        return starts

    def position(self, offset: int) -> Position:
        line = bisect_right(self.line_starts, offset)
        return Position(line, offset - self.line_starts[line - 1] + 1)

    def line(self, number: int) -> str:
        """The text of line `number` (from 1), without its line end."""
        start = self.line_starts[number - 1]
        end = self.text.find("\n", start)
        return self.text[start : end if end >= 0 else len(self.text)].rstrip("\r")


LARGEST = 10_000_000
"""Bytes of the largest spec that is read."""


def read(path: str | Path) -> Source:
    """See `Source.read`."""
    shown = str(path)
    file = Path(path)
    if not shown:
        _refuse(shown, "missing-file", "there is no file without a name")
    if any("\ud800" <= letter <= "\udfff" for letter in file.name):
        _refuse(shown, "unreadable-file", "the name of this file is not UTF-8 text", help="rename it")
    try:
        if file.is_dir():
            _refuse(shown, "unreadable-file", "this is a folder, not a spec", help=_first_spec(file))
        with open(file, "rb", opener=_without_waiting) as opened:
            data = opened.read(LARGEST + 1)
    except (FileNotFoundError, NotADirectoryError):
        _refuse(shown, "missing-file", f"there is no file {shown!r}", help=_near(file))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        _refuse(shown, "unreadable-file", f"this file cannot be read: {reason.lower()}")
    if len(data) > LARGEST:
        _refuse(shown, "too-large", f"this file is larger than {LARGEST // 1_000_000} MB", help=_DATA)
    if b"\0" in data:
        _refuse(shown, "not-text", "this is not a text file", help=_DATA)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - data.rfind(b"\n", 0, error.start)
        message = f"this is not UTF-8 text: byte 0x{data[error.start]:02x} in line {line}, column {column}"
        _refuse(shown, "not-text", message, help="save the file in the encoding UTF-8")
    return Source(text.replace("\r\n", "\n").replace("\r", "\n"), shown)


def _without_waiting(path: str, flags: int) -> int:
    """Opens a named pipe also where nobody writes to it: that is then an empty file."""
    handle = os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
    os.set_blocking(handle, True)
    return handle


_DATA = "a spec is a text of a few kilobytes; large data belongs into files that it names"


def _refuse(path: str, code: str, message: str, *, help: str | None = None) -> NoReturn:
    from gendsl.diagnostic import Diagnostic, DiagnosticError

    raise DiagnosticError(Diagnostic(code, message, Source("", path), Span(0, 0), help=help))


def _near(file: Path) -> str | None:
    """Which file was probably meant."""
    from gendsl.words import nearest

    try:
        names = sorted(other.name for other in file.parent.iterdir() if other.suffix == ".gen")
    except OSError:
        return None
    close = nearest(file.name, names) or nearest(file.name + ".gen", names)
    if file.name + ".gen" in names:
        close = file.name + ".gen"
    return f"did you mean {str(file.with_name(close))!r}?" if close else None


def _first_spec(folder: Path) -> str | None:
    try:
        names = sorted(file.name for file in folder.iterdir() if file.suffix == ".gen")
    except OSError:
        return None
    return f"name a file in it, such as {str(folder / names[0])!r}" if names else None
