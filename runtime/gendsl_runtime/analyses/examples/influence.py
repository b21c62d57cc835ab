"""Influence of training examples on others."""

from __future__ import annotations

import numpy as np

from gendsl_runtime.component import AxisName, SplitName, analysis
from gendsl_runtime.measures.drawn import is_right, membership, with_and_without
from gendsl_runtime.measures.prediction import same_examples
from gendsl_runtime.runs import Groups, Runs


@analysis(
    version=1,
    needs="classification",
    gives={"influence": "1 [example, target]", "error": "1 [example, target]"},
    differences=["influence"],
    axes={
        "example": "place of the training example in the split `whole`",
        "target": "place of the example that is classified in its split",
    },
    paper="feldman2020what",
)
def influence(groups: Groups, *, over: AxisName, on: SplitName = "test") -> dict[str, np.ndarray]:
    """How much more often one example is classified rightly by runs that were trained on another.

    `influence_ij = P[f(x_j) = y_j | i in the training set] - P[f(x_j) = y_j | i not in it]`, each probability
    the share of the runs along `over`, trained on random parts (Feldman and Zhang 2020, equation 2, subset
    estimator). `error` is the standard error of the difference, for independent runs. Of n times m values
    some are far from zero by chance: with K runs all errors are about 1 / sqrt(K), so effects of single
    examples take thousands of runs. A training example that all runs have seen, or none, has no influence:
    NaN.

    Args:
        over: the axis whose runs were trained on different parts by `subset`, mostly `seed`.
        on: the split whose examples are classified, the same for all runs.
    """
    found = [_figures(runs, on) for runs in groups.runs]
    influences, errors = (np.stack(values) for values in zip(*found, strict=True))
    return {"influence": influences, "error": errors}


def _figures(runs: Runs, on: str) -> tuple[np.ndarray, np.ndarray]:
    is_in = membership(runs, measure="influence")
    same_examples(runs, on)
    return with_and_without(is_in, is_right(runs, on=on).astype(np.float64))
