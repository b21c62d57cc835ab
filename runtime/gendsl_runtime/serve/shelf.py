"""The finished runs of a store: what a list says of each, and its report."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from pathlib import Path
from typing import Any

from gendsl_runtime.saved import RESULTS, run_names

REPORT = "report.html"
MOST = 200
"""Runs that a list holds."""
POLICY = (
    "default-src 'none'; script-src {scripts}; style-src 'unsafe-inline'; img-src data: blob:; connect-src 'none'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox allow-scripts allow-downloads"
)
"""A report runs the scripts it was made with, apart from everything else here: its origin is its own."""
OWN_POLICY = re.compile(rb'<meta http-equiv="Content-Security-Policy" content="([^"]*)">')
HASH = re.compile(r"'sha256-[A-Za-z0-9+/]{43}='")


class Shelf:
    """The runs of one store; remembers what it has read of each until that changes."""

    def __init__(self, store: Path) -> None:
        self._store = store
        self._known: dict[str, tuple[tuple[int, int], dict[str, Any]]] = {}

    def runs(self) -> list[dict[str, Any]]:
        """What a list says of each run, the latest first."""
        found = (self._told(name) for name in run_names(self._store)[: -MOST - 1 : -1])
        return [run for run in found if run is not None]

    def report(self, name: str) -> bytes | None:
        """The report of a run of this store; None where there is none, or where a link leads elsewhere."""
        if name not in run_names(self._store):
            return None
        folder = (self._store / "runs").resolve() / name
        if folder.resolve() != folder:
            return None
        try:
            handle = os.open(folder / REPORT, os.O_RDONLY | os.O_NOFOLLOW)
        except OSError:
            return None
        with os.fdopen(handle, "rb") as file:
            return file.read()

    def _told(self, name: str) -> dict[str, Any] | None:
        path = self._store / "runs" / name / RESULTS
        try:
            stamp = (path.stat().st_mtime_ns, path.stat().st_size)
            if name not in self._known or self._known[name][0] != stamp:
                self._known[name] = stamp, told(name, json.loads(path.read_bytes()))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None
        return self._known[name][1]


def told(name: str, content: dict[str, Any]) -> dict[str, Any]:
    """What a list says of a run, from its `results.json`."""
    record, spec = content["record"], content["spec"]
    return {
        "run": name,
        "title": str(spec["title"]),
        "started": str(record["started"]),
        "seconds": float(record["seconds"]),
        "tally": dict(Counter(str(verdict["outcome"]) for verdict in content["verdicts"])),
        "failures": len(content["failures"]),
    }


def policy(report: bytes) -> str:
    """The content security policy for a report: scripts by the hashes that the page itself names, and no others."""
    own = OWN_POLICY.search(report[:4096])
    hashes = HASH.findall(own[1].decode("ascii", "replace").replace("&#39;", "'")) if own else []
    return POLICY.format(scripts=" ".join(hashes) or "'none'")
