"""A run that is over or under way, as `live/` of a store holds it, without running anything."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from gendsl_runtime.progress.journal import FOLDER, PLAN, STATE


def kept(store: Path, name: str, *, plan: dict[str, Any] | None = None, **state: Any) -> Path:
    """The folder of a record; nobody holds it."""
    folder = store / FOLDER / name
    folder.mkdir(parents=True)
    whole_plan = {
        "version": 1,
        "name": "tiny",
        "title": "A title",
        "about": "",
        "path": "tiny.gen",
        "text": "seeds 0..1",
        "command": ["gen", "run", "tiny.gen"],
        "pid": 1,
        "host": "here",
        "started": time.time(),
        "steps": {"fit": ["train", "train"]},
        "claims": [],
        "graph": {"nodes": [], "edges": [], "width": 10, "height": 10},
        "warnings": [],
        **(plan or {}),
    }
    whole_state = {
        "stage": "computing",
        "looks": [],
        "seconds": 1.0,
        "left": None,
        "updated": 1.0,
        "waiting": [],
        "steps": {"fit": [4, 1, 1, 2, 0, 0.5]},
        "trainings": [],
        "claims": [],
        "ended": "",
        "message": "",
        "run": "",
        **state,
    }
    (folder / PLAN).write_text(json.dumps(whole_plan))
    (folder / STATE).write_text(json.dumps(whole_state))
    return folder
