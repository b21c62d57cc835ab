"""What goes into the store: results, failures, and where they came from."""

from __future__ import annotations

import json
import platform
from dataclasses import dataclass
from functools import cache
from importlib import metadata

from gendsl_runtime.problem import Problem


@dataclass(frozen=True)
class Entry:
    """The result of one node: its two keys, its bytes, what made it and how long that took (CPU seconds)."""

    recipe_key: bytes
    action_key: bytes
    payload: bytes
    kind: str
    component: str
    seconds: float
    step: str = ""
    """The step of the plan it was computed for, and its node: the place along the step's axes."""
    place: int = 0


@dataclass(frozen=True)
class Failed:
    """A node that gave no result, and why. Kept for `gen plan` to show; never served as a result."""

    recipe_key: bytes
    kind: str
    component: str
    code: str
    reason: str


class Damaged(Problem):
    """A stored result is missing or not what was written; it is set aside, to be computed again."""

    def __init__(self, digest: str) -> None:
        super().__init__(
            "damaged",
            f"the stored result {digest[:12]} is damaged or missing",
            help="run the same command again: it is computed anew",
        )
        self.digest = digest


@cache
def origin() -> tuple[str, str]:
    """Host and versions (as JSON) that results made here are signed with."""
    versions = {"python": platform.python_version()}
    for name in ("gendsl", "torch", "numpy"):
        versions[name] = metadata.version(name)
    return platform.node(), json.dumps(versions, sort_keys=True)
