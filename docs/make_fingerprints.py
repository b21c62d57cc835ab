"""Writes `docs/fingerprints.json`, what every built-in component's version stands for: `make fingerprints`.

A component's fingerprint is that of its function and of the helpers it reaches in the folders of components, `data`
and `measures`. The engine itself, and torch, count by the numerics class that is in every key, so that work on the
engine asks for no new versions of all components. Where a fingerprint changes, results may: raise the component's
version, or say that they are the same with `make fingerprints SAME="analysis/margins"` (or `SAME=all`).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Collection
from hashlib import sha256
from pathlib import Path
from typing import TypedDict

import gendsl_runtime
from gendsl.fingerprint import Project, fingerprint
from gendsl_runtime.components import FOLDERS, catalogue

FILE = Path(__file__).with_name("fingerprints.json")
PACKAGE = "gendsl_runtime"
RUNTIME = Path(gendsl_runtime.__file__).parents[1]
KINDS = ("dataset", "model", "optimizer", "schedule", "loss", "analysis")
"""The kinds whose versions are in keys; a training's is the engine's."""
FOLLOWED = {"data", "measures", *(FOLDERS[kind] for kind in KINDS)}


class Known(TypedDict):
    """What a version stands for; `same` are fingerprints before it that gave the same results."""

    version: int
    fingerprint: str
    same: list[str]


class Helpers(Project):
    """A component's file, and the helpers of components."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.folder = RUNTIME

    def _find(self, name: str) -> Path | None:
        return super()._find(name) if self._is_followed(name) else None

    def is_folder(self, name: str) -> bool:
        return self._is_followed(name) and super().is_folder(name)

    def _is_followed(self, name: str) -> bool:
        package, *inner = name.split(".")
        return package == PACKAGE and bool(inner) and inner[0] in FOLLOWED


def now() -> dict[str, Known]:
    """Version and fingerprint of every component as it is."""
    known = catalogue()
    return {
        f"{kind}/{name}": Known(
            version=known.components[kind, name].version,
            fingerprint=_digest(Path(known.components[kind, name].file), name),
            same=[],
        )
        for kind in KINDS
        for name in known.names(kind)
    }


def _digest(path: Path, name: str) -> str:
    """Without the versions of what is installed, which differ from one place to the next."""
    parts = fingerprint(path, name, project=Helpers(path)).parts
    told = sorted(f"{key}\0{part.digest}\n" for key, part in parts.items() if part.what != "distribution")
    return sha256("".join(told).encode()).hexdigest()


def committed() -> dict[str, Known]:
    """What the file says; nothing where there is none yet."""
    known: dict[str, Known] = json.loads(FILE.read_text("utf-8")) if FILE.exists() else {}
    return known


def unexplained(before: dict[str, Known], after: dict[str, Known]) -> list[str]:
    """Components whose code changed while their version did not."""
    return [
        name
        for name, found in after.items()
        if name in before
        and before[name]["version"] == found["version"]
        and before[name]["fingerprint"] != found["fingerprint"]
    ]


def updated(before: dict[str, Known], after: dict[str, Known], same: Collection[str]) -> dict[str, Known]:
    """The new content of the file.

    Raises:
        ValueError: a component changed, and neither its version nor `same` says what that means.
    """
    changed = unexplained(before, after)
    unknown = [name for name in changed if name not in same and "all" not in same]
    if unknown:
        raise ValueError(
            f"changed without a new version: {', '.join(unknown)}; raise the version in the component's decorator, or, "
            f'where every result stays the same to the bit, `make fingerprints SAME="{" ".join(unknown)}"`'
        )
    for name in set(after) & set(before):
        if before[name]["version"] == after[name]["version"]:
            earlier = [before[name]["fingerprint"]] if name in changed else []
            after[name]["same"] = [*before[name]["same"], *earlier]
    return after


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "same", nargs="*", metavar="KIND/NAME", help="changed with the same results; `all` is all"
    )
    try:
        content = updated(committed(), now(), parser.parse_args().same)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    FILE.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
