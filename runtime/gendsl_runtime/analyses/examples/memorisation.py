"""Memorisation of examples."""

from __future__ import annotations

import numpy as np

from gendsl_runtime.component import AxisName, analysis
from gendsl_runtime.measures.drawn import WHOLE, is_right, membership
from gendsl_runtime.runs import Groups, Runs


@analysis(
    version=1,
    needs="classification",
    gives={
        "memorisation": "1 [example]",
        "error": "1 [example]",
        "inside": "1 [example]",
        "outside": "1 [example]",
        "runs_with": "1 [example]",
        "mean": "1",
    },
    differences=["memorisation", "mean"],
    shares=["inside", "outside"],
    axes={"example": "place of the example in the split `whole`"},
    paper="feldman2020what",
)
def memorisation(groups: Groups, *, over: AxisName) -> dict[str, np.ndarray]:
    """How much more often an example is classified rightly by runs that were trained on it.

    `memorisation_i = P[f(x_i) = y_i | i in the training set] - P[f(x_i) = y_i | i not in it]`, each
    probability the share of the runs along `over`, trained on random parts (Feldman and Zhang 2020, equation
    1 with the subset estimator of section 2.2): an estimate of what leaving one example out of the part does,
    without training anew for each. The runs are told apart by the places that `subset` leaves with the
    training examples.

    `inside` and `outside` are the two shares and `error` the standard error of their difference, for runs
    that are independent of each other. An example that all runs have seen, or none, has no value: NaN, left
    out of `mean`; with one run on a side the error is NaN. At a share of 70% and K runs the error is at most
    1.1 / sqrt(K).

    Args:
        over: the axis whose runs were trained on different parts, mostly `seed`.

    Example:
        dataset part = subset(digits, share=70%, seed=seed)
    """
    found = [_figures(runs) for runs in groups.runs]
    return {name: np.stack([figures[name] for figures in found]) for name in found[0]}


def _figures(runs: Runs) -> dict[str, np.ndarray]:
    is_in = membership(runs, measure="memorisation")
    right = is_right(runs, on=WHOLE).astype(np.float64)
    count, total = is_in.sum(0), len(is_in)
    with np.errstate(divide="ignore", invalid="ignore"):
        inside = (right * is_in).sum(0) / count
        outside = (right * ~is_in).sum(0) / (total - count)
        variance = inside * (1 - inside) / (count - 1) + outside * (1 - outside) / (total - count - 1)
    gap = inside - outside
    has_error = (count > 1) & (total - count > 1)
    is_known = np.isfinite(gap)
    mean = gap[is_known].mean() if is_known.any() else np.nan
    return {
        "memorisation": gap,
        "error": np.sqrt(np.where(has_error, variance, np.nan)),
        "inside": inside,
        "outside": outside,
        "runs_with": count,
        "mean": np.array(mean),
    }
