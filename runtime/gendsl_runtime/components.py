"""The components that come with GenDSL: what they are, and how to get hold of one."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from gendsl.catalogue import Catalogue

FOLDERS = {
    "dataset": "datasets",
    "model": "models",
    "optimizer": "optimizers",
    "schedule": "schedules",
    "loss": "losses",
    "train": "train",
    "analysis": "analyses",
    "statistic": "statistics",
    "plot": "plots",
}
"""Where the components of each kind lie, one file each."""


@cache
def catalogue() -> Catalogue:
    """Descriptions of every component, read without importing any."""
    root = Path(__file__).parent
    return Catalogue.read({kind: root / folder for kind, folder in FOLDERS.items()})


@cache
def load(kind: str, name: str) -> Callable[..., Any]:
    """The component's function; imports its file."""
    module = importlib.import_module(f"gendsl_runtime.{FOLDERS[kind]}.{name}")
    function: Callable[..., Any] = getattr(module, name)
    return function
