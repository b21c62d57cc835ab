"""The components that come with GenDSL: what they are, and how to get hold of one."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gendsl.catalogue import Catalogue

if TYPE_CHECKING:
    from gendsl.catalogue.description import Description
    from gendsl.spec import Code

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
"""Where the components of each kind lie, one file each; those of a large kind in a folder for each family."""
ROOT = Path(__file__).parent


@cache
def catalogue() -> Catalogue:
    """Descriptions of every component, read without importing any."""
    return Catalogue.read({kind: ROOT / folder for kind, folder in FOLDERS.items()})


def families(kind: str) -> dict[str, list[str]]:
    """Names of the components of a kind by family, both in alphabetical order; one family `""` where it has none."""
    found: dict[str, list[str]] = {}
    for name in catalogue().names(kind):
        inside = Path(catalogue().components[kind, name].file).relative_to(ROOT / FOLDERS[kind])
        found.setdefault("" if inside.parent == Path() else inside.parent.name, []).append(name)
    return dict(sorted(found.items()))


@cache
def described(kind: str, name: str, code: Code | None = None) -> Description | None:
    """What is known of a component without running it; None where there is none. With `code` it is the user's."""
    if code is None:
        return catalogue().find(kind, name)
    from gendsl.catalogue import python

    return python.read(code.path).components.get(name)


@cache
def load(kind: str, name: str, code: Code | None = None) -> Callable[..., Any]:
    """The component's function; imports its file. With `code` it is the user's, and only workers may."""
    if code is not None:
        from gendsl_runtime.python import imported

        return imported(code)
    file = Path(catalogue().components[kind, name].file).relative_to(ROOT.parent).with_suffix("")
    function: Callable[..., Any] = getattr(importlib.import_module(".".join(file.parts)), name)
    return function
