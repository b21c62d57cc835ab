"""What `check` found: every fault once, and silence for what follows from it."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from typing import NamedTuple, NoReturn

from gendsl.diagnostic import Diagnostic, Label, Severity
from gendsl.source import Source, Span


class Place(NamedTuple):
    """A span of one of the texts at hand: the file, an imported one, or a `--set`."""

    source: Source
    span: Span


class Broken(Exception):  # noqa: N818 (it is not an error to show: that has been reported)
    """Raised where a value cannot be had because of a fault that is already reported."""


class Faults:
    """Collects diagnostics; the same fault met on several ways is kept once."""

    def __init__(self) -> None:
        self._found: dict[Hashable, Diagnostic] = {}

    def report(
        self,
        code: str,
        message: str,
        place: Place,
        *,
        note: str = "",
        also: tuple[tuple[Place, str], ...] = (),
        help: str | None = None,
        severity: Severity = "error",
        once: Hashable = None,
    ) -> None:
        """Keep a fault; `once` names it where several places show the same one."""
        labels = tuple(
            Label(other.span, text, None if other.source is place.source else other.source)
            for other, text in also
            if other != place
        )
        found = Diagnostic(code, message, place.source, place.span, note, labels, help, severity)
        key = (code, once) if once is not None else (code, place.source.path, place.source.text, place.span)
        known = self._found.get(key)
        if known is None or (known.source is place.source and place.span < known.span):
            self._found[key] = found

    def fail(
        self,
        code: str,
        message: str,
        place: Place,
        *,
        note: str = "",
        also: tuple[tuple[Place, str], ...] = (),
        help: str | None = None,
        once: Hashable = None,
    ) -> NoReturn:
        """Report, and leave what depends on it."""
        self.report(code, message, place, note=note, also=also, help=help, once=once)
        raise Broken

    def add(self, *diagnostics: Diagnostic) -> None:
        """Keep diagnostics that another pass made."""
        for found in diagnostics:
            self._found[found.code, found.source.path, found.source.text, found.span] = found

    @contextmanager
    def gathered(self) -> Iterator[Gathering]:
        """Runs several parts, each with `.part()`, and is broken at the end if one of them was."""
        gathering = Gathering()
        yield gathering
        if gathering.broken:
            raise Broken

    @property
    def has_errors(self) -> bool:
        return any(found.severity == "error" for found in self._found.values())

    def sorted(self, first: Source) -> tuple[Diagnostic, ...]:
        """All of them in the order of the text, those of the main file first."""
        return tuple(
            sorted(self._found.values(), key=lambda d: (d.source is not first, d.source.path, d.span, d.code))
        )


class Gathering:
    """Whether one of several parts was broken."""

    def __init__(self) -> None:
        self.broken = False

    @contextmanager
    def part(self) -> Iterator[None]:
        """One part: its fault does not keep the next ones from being looked at."""
        try:
            yield
        except Broken:
            self.broken = True
