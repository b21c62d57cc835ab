"""What is lost from one split to another."""

from __future__ import annotations

import numpy as np
import torch
from scipy.stats import rankdata
from torch import Tensor

from gendsl_runtime.component import SplitName, analysis
from gendsl_runtime.runs import Runs


@analysis(
    version=1,
    needs="classification",
    gives={"gap": "1", "accuracy": "1", "shifted_accuracy": "1", "auroc": "1"},
    shares=["accuracy", "shifted_accuracy", "auroc"],
    differences=["gap"],
    paper="hendrycks2017baseline",
)
def shift(runs: Runs, *, to: SplitName, on: SplitName = "test") -> dict[str, Tensor | np.ndarray]:
    """How much accuracy is lost on data of another distribution, and whether the network could know.

    `gap = accuracy(on) - accuracy(to)`. `auroc` is the probability that the confidence `max_c softmax(f(x))_c` of a
    random example of `on` is higher than that of one of `to`, ties counted half (Hendrycks and Gimpel 2017): 1/2 where
    the confidence says nothing. Softmax in float64, evaluation mode. Exact for the two samples.

    Args:
        to: the split of the other distribution, `noisy.test`.
        on: the split of the distribution trained on.
    """
    first, second = _confidences(runs, on), _confidences(runs, to)
    accuracy, shifted = runs.accuracy(on), runs.accuracy(to)
    return {
        "gap": accuracy - shifted,
        "accuracy": accuracy,
        "shifted_accuracy": shifted,
        "auroc": np.array([_auroc(high, low) for high, low in zip(first, second, strict=True)]),
    }


@torch.no_grad()
def _confidences(runs: Runs, split: str) -> np.ndarray:
    found: np.ndarray = runs.outputs(runs.split(split)[0]).double().softmax(1).amax(1).cpu().numpy()
    return found


def _auroc(high: np.ndarray, low: np.ndarray) -> float:
    """Mann and Whitney's statistic, as a share."""
    ranks = rankdata(np.concatenate([high, low]))[: len(high)]
    return float((ranks.sum() - len(high) * (len(high) + 1) / 2) / (len(high) * len(low)))
