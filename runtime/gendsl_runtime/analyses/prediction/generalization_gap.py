"""Generalisation gap."""

from __future__ import annotations

from torch import Tensor

from gendsl_runtime.component import SplitName, analysis
from gendsl_runtime.runs import Runs


@analysis(
    version=1,
    needs="labels",
    gives={
        "gap": "1",
        "error": "1",
        "train_error": "1",
        "test_accuracy": "1",
        "train_accuracy": "1",
        "loss_gap": "1",
        "train_loss": "1",
        "test_loss": "1",
    },
    shares=["error", "train_error", "test_accuracy", "train_accuracy"],
    differences=["gap"],
)
def generalization_gap(
    runs: Runs, *, on: SplitName = "test", against: SplitName = "train"
) -> dict[str, Tensor]:
    """How much worse a network does on new examples than on those it was fitted to.

    `gap = error - train_error`, the difference of the shares misclassified on the two splits; `error` is the
    test error, `loss_gap = test_loss - train_loss` with the training loss. All in evaluation mode. The
    default `train` split holds the clean training points: points that a run was given for training only
    (`with_wrong_labels`) are in `fit` but not in `train`. Errors are exact counts, losses right to about 1e-7
    relative.

    Args:
        on: the split of new examples.
        against: the split of seen examples; `fit` is everything the run was trained on.
    """
    error, train_error = runs.error(on), runs.error(against)
    test_loss, train_loss = runs.mean_loss(on), runs.mean_loss(against)
    return {
        "gap": error - train_error,
        "error": error,
        "train_error": train_error,
        "test_accuracy": runs.accuracy(on),
        "train_accuracy": runs.accuracy(against),
        "loss_gap": test_loss - train_loss,
        "train_loss": train_loss,
        "test_loss": test_loss,
    }
