"""Where the store lies."""

from __future__ import annotations

import os
from pathlib import Path

from gendsl_runtime.settings import settings

FOLDER = ".gendsl"
MARKS = ("gendsl.toml", ".git", "pyproject.toml")
"""What marks the top of a project."""


def store_place(spec: Path, option: Path | None = None) -> Path:
    """The store of a spec: the option `--store`, else GENDSL_STORE, else what `gendsl.toml` says, else `.gendsl`.

    That is the one in the nearest folder above the spec that has one; else in the nearest that is the top of a
    project; else beside the spec.

    Raises:
        DiagnosticError: `gendsl.toml` is wrong.
    """
    if option is not None:
        return option.expanduser().absolute()
    if named := os.environ.get("GENDSL_STORE"):
        return Path(named).expanduser().absolute()
    if chosen := settings(spec).store:
        return chosen.absolute()
    above = spec.absolute().parents
    for folder in above:
        if (folder / FOLDER).is_dir():
            return folder / FOLDER
    for folder in above:
        if any((folder / mark).exists() for mark in MARKS):
            return folder / FOLDER
    return above[0] / FOLDER
