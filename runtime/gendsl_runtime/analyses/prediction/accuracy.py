"""Accuracy."""

from __future__ import annotations

from torch import Tensor

from gendsl_runtime.component import SplitName, analysis
from gendsl_runtime.runs import Runs


@analysis(
    version=1,
    needs="labels",
    gives={"accuracy": "1", "error": "1"},
    shares=["accuracy", "error"],
)
def accuracy(runs: Runs, *, on: SplitName = "test") -> dict[str, Tensor]:
    """Share of the examples of a split that are classified rightly.

    `accuracy = (1/N) sum_i [argmax_c f_c(x_i) = y_i]` and `error = 1 - accuracy`, in evaluation mode (running
    statistics in BatchNorm, no dropout). Of equal largest outputs the first counts. Exact: a count over N. An
    example of a labelling is right where every place that is asked about is.

    Args:
        on: the split.
    """
    return {"accuracy": runs.accuracy(on), "error": runs.error(on)}
