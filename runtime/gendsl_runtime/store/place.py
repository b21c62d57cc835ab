"""Where the store lies."""

from __future__ import annotations

import os
from pathlib import Path

FOLDER = ".gendsl"
MARKS = (".git", "pyproject.toml")
"""What marks the top of a project."""


def store_place(spec: Path, option: Path | None = None) -> Path:
    """The store of a spec: the option `--store`, else GENDSL_STORE, else `.gendsl` in a folder above it.

    The nearest folder above that has a store; else the nearest that is the top of a project; else the spec's.
    """
    if option is not None:
        return option.expanduser().absolute()
    if named := os.environ.get("GENDSL_STORE"):
        return Path(named).expanduser().absolute()
    above = spec.absolute().parents
    for folder in above:
        if (folder / FOLDER).is_dir():
            return folder / FOLDER
    for folder in above:
        if any((folder / mark).exists() for mark in MARKS):
            return folder / FOLDER
    return above[0] / FOLDER
