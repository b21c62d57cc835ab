"""Agreement between runs on each example."""

from __future__ import annotations

import numpy as np

from gendsl_runtime.component import AxisName, SplitName, analysis
from gendsl_runtime.measures.drawn import classes
from gendsl_runtime.measures.prediction import same_examples
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Groups, Runs


@analysis(
    version=1,
    needs="classification",
    gives={
        "agreement": "1 [example]",
        "majority": "1 [example]",
        "right": "1 [example]",
        "mean": "1",
    },
    shares=["agreement", "majority", "right", "mean"],
    axes={"example": "place of the example in its split"},
    paper=["jiang2022assessing", "jiang2021characterizing"],
)
def agreement(groups: Groups, *, over: AxisName, on: SplitName = "test") -> dict[str, np.ndarray]:
    """On which examples runs give the same class.

    Of K runs along `over`, `n_c` give class c to an example: `agreement = sum_c n_c (n_c - 1) / (K (K - 1))`
    is the share of pairs of runs that agree, without bias for two fresh runs; its mean over examples is one
    minus the rate of `disagreement` (Jiang et al. 2022). `majority = max_c n_c / K`, and `right` is the share
    of runs that give the true class: with runs trained on parts by `subset`, and examples outside them, the
    consistency score of Jiang et al. (2021). Exact counts, evaluation mode; of equal outputs the first class
    counts.

    Args:
        over: the axis whose runs are compared, at least two.
        on: the split; it must have the same examples in all of them.
    """
    found = [_figures(runs, over, on) for runs in groups.runs]
    return {name: np.stack([figures[name] for figures in found]) for name in found[0]}


def _figures(runs: Runs, over: str, on: str) -> dict[str, np.ndarray]:
    if runs.members < 2:
        raise Problem("out-of-range", f"`agreement` compares runs, and there is one along `{over}`")
    same_examples(runs, on)
    given, labels = classes(runs, on=on).cpu().numpy(), runs.split(on)[1][0].cpu().numpy()
    total = runs.members
    counts = np.stack([(given == kind).sum(0) for kind in range(runs.network.outputs)])
    share = (counts * (counts - 1)).sum(0) / (total * (total - 1))
    return {
        "agreement": share,
        "majority": counts.max(0) / total,
        "right": (given == labels).mean(0),
        "mean": np.array(share.mean()),
    }
