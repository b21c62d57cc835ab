"""Whether a spec may run the Python files it imports."""

from __future__ import annotations

import re
from pathlib import Path

from gendsl.diagnostic import Diagnostic, DiagnosticError
from gendsl.source import Source, Span
from gendsl.spec import Spec
from gendsl_runtime.python import codes
from gendsl_runtime.settings import NAME, settings


def has_code(spec: Spec, *, is_allowed: bool) -> bool:
    """Whether a spec runs Python of the user's; `is_allowed` says that the command line allows it.

    Raises:
        DiagnosticError: it does and may not, or the settings of its project are wrong.
    """
    set_for = settings(Path(spec.path))
    files = sorted({code.path for code in codes((spec.steps, spec.axes))})
    if not files or is_allowed or set_for.allow_python:
        return bool(files)
    names = " and ".join(f"`{Path(file).name}`" for file in files)
    does, it = ("does", "it") if len(files) == 1 else ("do", "they")
    raise DiagnosticError(
        Diagnostic(
            "python-not-allowed",
            f"{names} {does} not run unless you say so: {it} can do anything that you can",
            Source(spec.text, spec.path),
            _import(spec, Path(files[0]).name),
            note="imported here",
            help=f"read {it if it == 'it' else 'them'}, then `--allow-python`, or `allow_python = true` in `{NAME}`",
        )
    )


def _import(spec: Spec, file: str) -> Span:
    """Where a spec imports a file: the text in quotes; its first letter where another file imports it."""
    found = re.search(rf'import\s+("[^"\n]*{re.escape(file)}")', spec.text)
    return Span(*found.span(1)) if found else Span(0, min(1, len(spec.text)))
