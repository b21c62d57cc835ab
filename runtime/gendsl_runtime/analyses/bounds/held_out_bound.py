"""Bound from held-out examples (test-set bound)."""

from __future__ import annotations

import numpy as np

from gendsl_runtime.component import Share, SplitName, analysis
from gendsl_runtime.measures.drawn import WHOLE
from gendsl_runtime.measures.pac_bayes import clopper_pearson
from gendsl_runtime.measures.priors import delta, fresh, same
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Runs


@analysis(
    version=1,
    needs="classification",
    gives={"bound": "1", "error": "1", "is_vacuous": "1"},
    shares=["bound", "error"],
    paper="langford2005tutorial",
)
def held_out_bound(runs: Runs, *, on: SplitName = "test", confidence: Share = 0.95) -> dict[str, np.ndarray]:
    """Upper bound on the true error from examples that were not trained on: exact binomial tail.

    The largest p with `P(Binomial(N, p) <= errors) >= 1 - confidence` (Clopper-Pearson; Langford 2005, theorem
    3.3), `p = Beta^-1(confidence; errors + 1, N - errors)`. It holds with probability `confidence` over the split,
    where nothing about the network was chosen by it, and is what bounds from training data are to be measured
    against. What the runs were trained on is refused (`train`, `fit`, and `whole`, which `train` is drawn from),
    unless their weights are as they were drawn. Evaluation mode (running statistics in BatchNorm, no dropout).
    Exact up to the beta quantile (1e-12).

    Args:
        on: the split.
        confidence: probability with which the bound holds, below 1.

    Returns:
        `bound`; `error`, the share of errors; `is_vacuous`, 1 where the bound is 1 or more.
    """
    _held_out(runs, on)
    examples = runs.split(on)[0].shape[1]
    error = runs.error(on).cpu().numpy()
    bound = clopper_pearson(np.rint(error * examples), examples=examples, delta=delta(confidence))
    return {"bound": bound, "error": error, "is_vacuous": (bound >= 1).astype(np.int64)}


def _held_out(runs: Runs, on: str) -> None:
    """Refuses a split that the weights were chosen by."""
    is_seen = any(on in ("fit", WHOLE, *data.fit) for data in runs.data)
    if is_seen and not same(runs.state.parameters, fresh(runs).parameters):
        raise Problem(
            "data-in-prior",
            f"`held_out_bound` holds for examples that were not trained on, and `{on}` has some that were",
            help="write `on = test`; from training examples `pac_bayes_bound` and `compression_bound` are bounds",
        )
