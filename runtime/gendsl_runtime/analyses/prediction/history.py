"""Training history."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from gendsl_runtime.component import analysis
from gendsl_runtime.runs import Runs


@analysis(
    version=1,
    gives={
        "train_error": "1 [epoch]",
        "train_loss": "1 [epoch]",
        "epochs": "epochs",
        "steps": "steps",
        "stopped": "1",
        "final_error": "1",
        "final_loss": "1",
    },
    shares=["train_error", "final_error"],
    axes={"epoch": "epochs trained, from 1"},
)
def history(runs: Runs) -> dict[str, Sequence[np.ndarray] | np.ndarray]:
    """What was recorded while training: error and loss on the points trained on, epoch by epoch.

    Both are means over the examples of an epoch's steps, each measured just before the step that used it
    (training mode, augmentation and label noise included), so an epoch's value is a running one and not that
    of the network at its end. A curve has as many points as its own run has epochs; where runs stopped at
    different epochs, results hold NaN beyond the end of the shorter ones. For regression there is no error:
    NaN throughout.

    Returns:
        `epochs` and `steps`, how long each run was trained; `stopped`, 1 where its stop condition ended it
        before its budget; `final_error`, `final_loss`, the last values recorded, NaN for a run of no steps;
        the curves, one array a member.
    """
    loss, error, epochs = (_curves(runs, name) for name in ("train_loss", "train_error", "epoch"))
    return {
        "train_error": error,
        "train_loss": loss,
        "epochs": np.array([one[-1] if len(one) else 0 for one in epochs], dtype=np.int64),
        "steps": np.array(runs.steps, dtype=np.int64),
        "stopped": np.array(runs.stopped, dtype=np.int64),
        "final_error": np.array([one[-1] if len(one) else np.nan for one in error]),
        "final_loss": np.array([one[-1] if len(one) else np.nan for one in loss]),
        "epoch": [one.astype(np.int64) for one in epochs],
    }


def _curves(runs: Runs, name: str) -> list[np.ndarray]:
    """One float64 array a member, NaN where the metric was not recorded."""
    return [
        _array(recorded[name]) if name in recorded else np.full(len(recorded.get("epoch", ())), np.nan)
        for recorded in runs.history
    ]


def _array(values: Tensor) -> np.ndarray:
    return values.detach().double().cpu().numpy()
