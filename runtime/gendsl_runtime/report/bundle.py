"""Vega, Vega-Lite and Vega-Embed as the one script that pages carry, kept in the user's own cache folder.

Making it takes vl-convert about three seconds, more than all else of a small report.
"""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from importlib import metadata
from pathlib import Path

import vl_convert

from gendsl.places import cache_folder
from gendsl_runtime.draft import write_whole

USED = "window.vegaEmbed = vegaEmbed;"
"""What of the bundle a page uses."""
PACKAGE = "vl-convert-python"


@cache
def libraries() -> str:
    """The script, from the cache where it is there as it was written."""
    kept = _place()
    script = _read(kept) if kept is not None else None
    if script is None:
        script = vl_convert.javascript_bundle(USED)
        if kept is not None:
            _keep(kept, script)
    if "</script" in script or "<!--" in script:
        raise ValueError("the Vega bundle cannot stand inside a script element")
    return script


def _place() -> Path | None:
    """The file of this version; None where there is no cache."""
    folder = cache_folder()
    key = sha256(f"{metadata.version(PACKAGE)}\0{USED}".encode()).hexdigest()
    return folder / f"vega-{key[:16]}.js" if folder is not None else None


def _read(path: Path) -> str | None:
    """The script behind its own digest, so that half a file is none."""
    try:
        digest, _, script = path.read_bytes().partition(b"\n")
    except OSError:
        return None
    return script.decode() if sha256(script).hexdigest().encode() == digest else None


def _keep(path: Path, script: str) -> None:
    content = script.encode()
    try:
        write_whole(path, sha256(content).hexdigest().encode() + b"\n" + content)
    except OSError:
        return  # made anew the next time
