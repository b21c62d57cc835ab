"""What a choice by one score costs in what counts."""

from __future__ import annotations

import numpy as np

from gendsl_runtime.component import statistic


@statistic(version=2, reduces="over", unit="first")
def regret(outcomes: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """How far the outcome at the highest score falls short of the best outcome: `max_i u_i - u_(argmax_i s_i)`.

    For outcomes of which more is better, such as the test log-likelihood of a model that is chosen by its evidence.
    Of equal highest scores the first in the order of the axis counts. Where the score falls as it gets better, or
    less of the outcome is better, give it a minus.

    Interval: of the seeds' own regrets, `mean(regret(test, score, over=degree))`, Student's t. They are never below 0
    and often lopsided, and a claim warns where they are.

    Args:
        outcomes: u, `(..., n)`; a pair in which either value is missing (NaN) is left out.
        scores: s, `(..., n)`, in any unit.

    Returns:
        `(...)`, at least 0, in the unit of the outcomes; NaN where every pair is missing.

    Example:
        >>> float(regret(np.array([0.7, 0.9, 0.8]), np.array([1.0, 2.0, 3.0]))).__round__(3)
        0.1
    """
    outcomes, scores = np.broadcast_arrays(outcomes, scores)
    if outcomes.shape[-1] == 0:
        return np.full(outcomes.shape[:-1], np.nan)
    absent = np.isnan(outcomes) | np.isnan(scores)
    present = np.where(absent, -np.inf, outcomes)
    # Among scores of minus infinity a pair that is there goes before one that is missing.
    chosen = np.where(absent, -np.inf, np.clip(scores, -np.finfo(float).max, None)).argmax(axis=-1)
    at_chosen = np.take_along_axis(present, chosen[..., None], axis=-1)[..., 0]
    best = present.max(axis=-1)
    with np.errstate(invalid="ignore"):
        # The best loses nothing, also where it is infinite.
        lost = np.where(at_chosen == best, 0.0, best - at_chosen)
    return np.where(absent.all(axis=-1), np.nan, lost)
