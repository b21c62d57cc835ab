"""Calibration of the predicted probabilities."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch

from gendsl_runtime.component import Count, SplitName, analysis
from gendsl_runtime.measures.calibrated import bins as binned
from gendsl_runtime.runs import Runs


@analysis(
    version=1,
    needs="classification",
    gives={
        "ece": "1",
        "mce": "1",
        "brier": "1",
        "nll": "nats",
        "mean_confidence": "1",
        "overconfidence": "1",
        "confidence": "1 [bin]",
        "accuracy": "1 [bin]",
        "share": "1 [bin]",
    },
    shares=["ece", "mce", "mean_confidence", "confidence", "accuracy", "share"],
    differences=["overconfidence"],
    axes={"bin": "bin of confidence, from 1"},
    paper=["guo2017calibration", "brier1950verification", "nixon2019measuring"],
)
def calibration(
    runs: Runs,
    *,
    bins: Count = 15,
    by: Literal["width", "mass"] = "width",
    on: SplitName = "test",
) -> dict[str, np.ndarray]:
    """Whether predictions are right as often as their probabilities say.

    With p = softmax(f(x)), confidence `max_c p_c` and bins B of the confidence:
    `ece = sum_B |B| / N |accuracy(B) - confidence(B)|`, `mce` the largest such gap (Guo et al. 2017);
    `brier = (1/N) sum_i sum_c (p_c(x_i) - 1[y_i = c])^2`, from 0 to 2 (Brier 1950; halve it for the convention of
    two classes); `nll = -(1/N) sum_i log p_y(x_i)`; `overconfidence` = mean confidence - accuracy. Softmax and sums
    in float64, evaluation mode.

    Binning makes `ece` depend on the number of bins, and too large where bins are small: with n examples a perfectly
    calibrated bin has an expected gap of about `sqrt(2 a (1 - a) / (pi n))`. Bins of equal mass vary less (Nixon et al.
    2019). A bin without examples has NaN for confidence and accuracy.

    Args:
        bins: how many.
        by: `width`, equal intervals of confidence as in Guo et al., or `mass`, equal numbers of examples.
        on: the split.
    """
    inputs, targets = runs.split(on)
    with torch.no_grad():
        logs = runs.outputs(inputs).double().log_softmax(1).cpu().numpy()
    found = [_measured(log, label, bins, by) for log, label in zip(logs, targets.cpu().numpy(), strict=True)]
    return {name: np.stack([one[name] for one in found]) for name in found[0]} | {
        "bin": np.arange(1, bins + 1)
    }


def _measured(
    logs: np.ndarray, labels: np.ndarray, bins: int, by: Literal["width", "mass"]
) -> dict[str, np.ndarray]:
    """The quantities of one member from log-probabilities `(classes, examples)`."""
    probabilities, examples = np.exp(logs), np.arange(len(labels))
    confidence, is_right = probabilities.max(0), probabilities.argmax(0) == labels
    groups = binned(confidence, is_right, count=bins, by=by)
    missed = probabilities.copy()
    missed[labels, examples] -= 1
    values = {
        "ece": groups.share @ groups.gaps,
        "mce": groups.gaps.max(),
        "brier": np.square(missed).sum(0).mean(),
        "nll": -logs[labels, examples].mean(),
        "mean_confidence": confidence.mean(),
        "overconfidence": confidence.mean() - is_right.mean(),
        **{"confidence": groups.confidence, "accuracy": groups.accuracy, "share": groups.share},
    }
    return {name: np.asarray(value) for name, value in values.items()}
