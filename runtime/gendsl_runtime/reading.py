"""From a file to a checked experiment: what every command that goes beyond `gen validate` starts with."""

from __future__ import annotations

import hashlib
from pathlib import Path

from gendsl.check import Checked, Options, check
from gendsl.parse import parse
from gendsl.source import Source
from gendsl_runtime.components import catalogue
from gendsl_runtime.problem import Problem


def read_checked(path: str, options: Options | None = None) -> Checked:
    """The experiment in a file, with its diagnostics; `spec` is None after an error.

    After a syntax error the meaning is not looked at: what is wrong there may only follow from it.

    Raises:
        DiagnosticError: the file cannot be read at all.
    """
    source = Source.read(path)
    file, faults = parse(source)
    if any(fault.severity == "error" for fault in faults):
        return Checked(None, tuple(faults))
    checked = check(source, file, catalogue(), options or Options())
    return Checked(checked.spec, (*faults, *checked.diagnostics))


def file_digest(path: str) -> bytes:
    """SHA-256 of a file the spec names: it stands for the file in keys. Raises `bad-data`."""
    try:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except OSError as error:
        raise Problem("bad-data", f"cannot read {path}: {error.strerror}", help="check the path") from error
