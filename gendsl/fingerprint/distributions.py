"""Which version of an installed package an import gets."""

from __future__ import annotations

import sys
from functools import cache

STANDARD = sys.stdlib_module_names
"""Modules that come with Python."""


@cache
def version(package: str) -> str | None:
    """The version of the distribution that has a package, without its build label (`2.13.0+cpu` is 2.13.0).

    None where no distribution says that it has it. Where several do, all versions.
    """
    from importlib import metadata

    try:
        return metadata.version(package).partition("+")[0]
    except metadata.PackageNotFoundError:
        names = sorted(set(_owners().get(package, ())))
        return ",".join(f"{n} {metadata.version(n).partition('+')[0]}" for n in names) or None


@cache
def _owners() -> dict[str, list[str]]:
    from importlib import metadata

    return {package: list(names) for package, names in metadata.packages_distributions().items()}
