"""How many guesses it took."""

from __future__ import annotations

import numpy as np

from gendsl_runtime.component import analysis
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Runs


@analysis(
    version=1,
    gives={"log_probability": "nats", "guesses": "1"},
    paper=["chiang2023loss", "girshick1946unbiased"],
)
def guesses(runs: Runs) -> dict[str, np.ndarray]:
    """How many random networks were drawn until one met the `stop`, and how likely a random network is to meet it.

    Of independent guesses that will do with probability p, the number k of the first that does is geometric, and
    `-sum_{j=1}^{k-1} 1 / j` estimates `ln p` without bias, for every p: its mean is
    `-sum_j P(k > j) / j = -sum_j (1 - p)^j / j = ln p`. Its standard deviation is at most `pi / sqrt(6) = 1.28` nats,
    reached as p gets small, so that means over seeds tell the probability to a few tenths of a nat.
    `-log_probability` is how much smaller than the whole cube of parameters the volume of what is looked for is, in
    nats; and the length of a code that names a network by the number of its guess, but for the overhead.

    Where data follow the seed, p does so too, and a mean is one over p of several problems. Only of trainings by
    `guess`; one that found nothing is no run, so that a budget which often ends too early makes p look larger.

    Returns:
        `log_probability` (nats) and `guesses`, the number of the guess that was kept, from 1.

    Papers:
        Chiang et al. (2023), Loss landscapes are all you need, ICLR. Girshick, Mosteller and Savage (1946), Unbiased
        estimates for certain binomial sampling problems with applications.
    """
    if not all("guesses" in history for history in runs.history) or not runs.history:
        raise Problem(
            "wrong-kind",
            "`guesses` counts the guesses of a training by `guess`, and this run was trained by gradients",
            help="give it a run with `optimizer = guess()`",
        )
    numbers = np.array([int(history["guesses"][-1]) for history in runs.history], dtype=np.int64)
    return {"log_probability": -np.array([harmonic(number - 1) for number in numbers]), "guesses": numbers}


def harmonic(count: int) -> float:
    """`sum_{j=1}^count 1 / j`; from a thousand terms on by Euler and Maclaurin, exact to 1e-16."""
    if count < 1000:
        return float(sum(1 / np.arange(1, count + 1))) if count else 0.0
    return float(np.log(count) + np.euler_gamma + 1 / (2 * count) - 1 / (12 * count**2))
