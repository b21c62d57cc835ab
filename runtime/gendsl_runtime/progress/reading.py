"""Records of runs in progress, as whoever looks at a store finds them."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gendsl_runtime.progress.journal import FOLDER, PLAN, STATE
from gendsl_runtime.store.owned import is_owned

LARGEST = 32 * 2**20
"""Bytes of a file beyond which it is no record."""


@dataclass(frozen=True)
class Record:
    """One run in progress, or that has ended lately."""

    id: str
    plan: dict[str, Any]
    state: dict[str, Any]

    @property
    def share(self) -> float:
        """The share of all results that is there, or has failed, or is under way."""
        steps = self.state["steps"].values()
        total = sum(step[0] for step in steps)
        running = (one for one in self.state["trainings"] if one["state"] == "running")
        within = sum(one["share"] * one["members"] for one in running)
        over = sum(step[1] + step[4] for step in steps)
        return min(1.0, (over + within) / total) if total else 0.0


def record_ids(store: Path) -> list[str]:
    """The records there are, the latest first."""
    try:
        found = [
            (entry.stat().st_mtime_ns, entry.name) for entry in os.scandir(store / FOLDER) if _is_own(entry)
        ]
    except OSError:
        return []
    return [name for _, name in sorted(found, reverse=True)]


def record(store: Path, name: str) -> Record | None:
    """A record by its name; None where there is none, or it makes no sense. A run whose process is gone has ended."""
    if name not in record_ids(store):
        return None
    folder = store / FOLDER / name
    # Asked before it is read: a run that ends in between has said how.
    is_alive = is_owned(folder)
    try:
        plan, state = _read(folder / PLAN), _read(folder / STATE)
        found = Record(name, plan, state)
        if not state["ended"] and not is_alive:
            state["ended"] = "killed"
        found.share  # noqa: B018 (a record of another form is none)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError):
        return None
    return found


def _is_own(entry: os.DirEntry[str]) -> bool:
    return entry.is_dir(follow_symlinks=False) and not entry.name.endswith(".gone")


def _read(path: Path) -> dict[str, Any]:
    """A file of a record: no link, and of a size that a record has."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    with os.fdopen(handle, "rb") as file:
        content = json.loads(file.read(LARGEST))
    if not isinstance(content, dict):
        raise ValueError("a record is an object")
    return content
