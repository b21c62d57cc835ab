"""Diagnostics: what is wrong, where, and what to do about it.

Every fault that any part of GenDSL finds in what the user wrote is one `Diagnostic`. Codes are lower-case words
joined by dashes (`wrong-unit`); each has an explanation in `explain.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from gendsl.source import Source, Span

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Label:
    """A second place that explains the first; `source` is None where it lies in the diagnostic's own file."""

    span: Span
    text: str
    source: Source | None = None


@dataclass(frozen=True)
class Diagnostic:
    """One fault. `note` is the short text under the carets, `help` can be pasted or acted upon."""

    code: str
    message: str
    source: Source
    span: Span
    note: str = ""
    labels: tuple[Label, ...] = field(default=())
    help: str | None = None
    severity: Severity = "error"


class DiagnosticError(Exception):
    """Raised where work cannot go on; carries what is to be shown to the user."""

    def __init__(self, *diagnostics: Diagnostic) -> None:
        super().__init__("; ".join(d.message for d in diagnostics))
        self.diagnostics = diagnostics
