"""How much the gradients of examples differ: noise scale and coherence."""

from __future__ import annotations

import numpy as np
import torch

from gendsl_runtime.component import SplitName, analysis
from gendsl_runtime.measures.gradients import parts, products, squared_norms, total
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Runs


@analysis(
    version=1,
    gives={
        "noise_scale": "1",
        "noise_scale_error": "1",
        "trace": "1",
        "signal": "1",
        "signal_error": "1",
        "coherence": "1",
        "coherence_error": "1",
        "sample_coherence": "1",
        "m_coherence": "1",
    },
    paper=["mccandlish2018empirical", "chatterjee2020making"],
)
def gradient_noise(runs: Runs, *, on: SplitName = "train") -> dict[str, np.ndarray]:
    """Gradient noise scale, and how far the gradients of examples point the same way.

    With the gradients `g_i` of the training loss of N examples, G their expectation and S their covariance:

        signal      = mean_{i != j} <g_i, g_j>                  unbiased for |G|^2
        trace       = sum_i |g_i - mean g|^2 / (N - 1)          unbiased for tr S
        noise_scale = trace / signal                            B_simple, in examples
        coherence   = signal / mean_i |g_i|^2

    B_simple (McCandlish et al. 2018, equation 2.9; the estimators are those of their appendix A.1 with
    B_small = 1 and B_big = N) is the batch size at which noise and gradient are equally large.
    `sample_coherence = |mean g|^2 / mean |g|^2` is alpha of Chatterjee and Zielinski (2020) on the sample
    itself: 1/N for orthogonal gradients, 1 for equal ones; `m_coherence` is N times that, how many examples
    an average one helps, itself included. `coherence` is the same for fresh pairs, without bias.

    Near a minimum of the training loss `signal` is near zero and may come out negative: `noise_scale` is then
    infinite. It is 0 where all gradients are equal; where all are zero the coherences are 0 too. Standard
    errors by the jackknife over examples, which the sums allow exactly; that of an infinite noise scale is
    infinite. Evaluation mode, no weight decay. Gradients in the precision of the parameters, sums in float64.

    Args:
        on: the split, of at least two examples.

    Returns:
        Each `(members,)`; `trace` and `signal` in squared units of the gradient.
    """
    if runs.split(on)[0].shape[1] < 2:
        raise Problem("bad-data", f"the noise of one gradient is not known: `{on}` has a single example")
    found = [figures for part in parts(runs) for figures in _of_stack(part, on)]
    return {name: np.array([figures[name] for figures in found]) for name in found[0]}


def _of_stack(runs: Runs, on: str) -> list[dict[str, float]]:
    """The quantities of each member."""
    norms = torch.cat([squared_norms(runs, x, y) for x, y in runs.chunks(on)], dim=1).cpu().numpy()
    whole = total(runs, on=on)
    shares = products(runs, whole, on=on).cpu().numpy()
    found = []
    for member in range(runs.members):
        square = float(sum(value[member].square().sum() for value in whole.values()))
        found.append(_figures(norms[member], square, shares[member]))
    return found


def _figures(norms: np.ndarray, square: float, shares: np.ndarray) -> dict[str, float]:
    """From `|g_i|^2`, `|sum g|^2` and `<g_i, sum g>`."""
    n, norm = len(norms), norms.sum()
    figures = {name: float(value) for name, value in _estimates(square, norm, n).items()}
    figures["sample_coherence"] = square / n / norm if norm > 0 else 0.0
    figures["m_coherence"] = n * figures["sample_coherence"]
    # Without example i the sum is S - g_i; a jackknife of pairs needs three examples.
    if n > 2:
        without = _estimates(square - 2 * shares + norms, norm - norms, n - 1)
        spread = {name: _jackknife(values) for name, values in without.items()}
    else:
        spread = dict.fromkeys(("noise_scale", "signal", "coherence"), np.inf)
    errors = {f"{name}_error": spread[name] for name in ("noise_scale", "signal", "coherence")}
    return {**figures, **errors}


def _estimates(square: np.ndarray | float, norm: np.ndarray | float, n: int) -> dict[str, np.ndarray]:
    """Estimates from `|sum g|^2`, `sum |g|^2` and the number of examples."""
    signal = np.asarray((square - norm) / (n * (n - 1)))
    # Of equal gradients the difference is a rounding error.
    trace = np.maximum(np.asarray(norm - square / n) / (n - 1), 0.0)
    mean = np.asarray(norm) / n
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.where(signal > 0, trace / signal, np.where(mean > 0, np.inf, 0.0))
        coherence = np.where(mean > 0, signal / mean, 0.0)
    return {"noise_scale": scale, "trace": trace, "signal": signal, "coherence": coherence}


def _jackknife(values: np.ndarray) -> float:
    if not np.isfinite(values).all():
        return float(np.inf)
    n = len(values)
    return float(np.sqrt((n - 1) / n * np.square(values - values.mean()).sum()))
