"""Versions of what computes: for provenance and for locks."""

from __future__ import annotations

import platform
from importlib import metadata

DISTRIBUTIONS = ("gendsl", "torch", "numpy", "scipy", "scikit-learn", "xarray", "altair", "vl-convert-python")


def versions() -> dict[str, str]:
    """Python and the distributions whose code results go through."""
    return {"python": platform.python_version(), **{name: metadata.version(name) for name in DISTRIBUTIONS}}
