"""How an arm of `training.py` talks: a line in is a run, a line out is its CPU seconds and its test accuracy."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np


def data(path: str) -> tuple[np.ndarray, ...]:
    """Training inputs and labels, test inputs and labels."""
    arrays = np.load(path)
    return tuple(arrays[name] for name in ("train_x", "train_y", "test_x", "test_y"))


def serve(run: Callable[[], float]) -> None:
    """Warm up (compile), then run once for each line of the input."""
    run()
    print("ready", flush=True)
    for _ in sys.stdin:
        start = time.process_time()
        accuracy = run()
        print(time.process_time() - start, accuracy, flush=True)
