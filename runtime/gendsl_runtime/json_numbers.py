"""JSON with the numbers that it has no word for: infinities and what is no number."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any


def strict(value: Any) -> Any:
    """The same with numbers that JSON has no word for as `{"number": "nan"}`, and those of numpy as Python's."""
    if isinstance(value, float) and not math.isfinite(value):
        return {"number": repr(float(value))}
    if isinstance(value, Mapping):
        return {str(key): strict(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [strict(item) for item in value]
    return value.item() if type(value).__module__ == "numpy" else value


def loose(value: Any) -> Any:
    """What `strict` was given, from what it gave."""
    if isinstance(value, dict):
        if value.keys() == {"number"} and isinstance(value["number"], str):
            return float(value["number"])
        return {key: loose(item) for key, item in value.items()}
    return [loose(item) for item in value] if isinstance(value, list) else value
