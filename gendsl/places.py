"""Where files are: those that ship with GenDSL, and the user's own cache of what can be made again."""

from __future__ import annotations

import os
from pathlib import Path


def resource(*parts: str) -> Path:
    """A file that ships with GenDSL: in the package (a wheel) first, beside it (a checkout) second."""
    package = Path(__file__).parent
    inside = package.joinpath(*parts)
    return inside if inside.exists() else package.parent.joinpath(*parts)


def cache_folder() -> Path | None:
    """The user's own cache folder for GenDSL, made if need be; None where there is none that only they can
    write.
    """
    home = os.environ.get("XDG_CACHE_HOME")
    try:
        folder = (Path(home) if home and Path(home).is_absolute() else Path.home() / ".cache") / "gendsl"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        facts = folder.stat()
    except (OSError, RuntimeError):
        return None
    if hasattr(os, "getuid") and (facts.st_uid != os.getuid() or facts.st_mode & 0o022):
        return None
    return folder
