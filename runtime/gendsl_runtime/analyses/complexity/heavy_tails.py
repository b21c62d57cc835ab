"""Heavy tails of the spectra of weights."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from gendsl_runtime.component import Share, analysis
from gendsl_runtime.measures.matrices import matrices
from gendsl_runtime.measures.powerlaw import hill, power_law
from gendsl_runtime.runs import Runs


@analysis(
    version=1,
    gives={
        "alpha": "1 [layer]",
        "alpha_error": "1 [layer]",
        "lowest": "1 [layer]",
        "distance": "1 [layer]",
        "tail": "1 [layer]",
        "hill": "1 [layer]",
        "mean_alpha": "1",
        "weighted_alpha": "1",
    },
    axes={"layer": "place of the layer with weights, from the input, from 1"},
    paper=["martin2021implicit", "martin2021predicting", "clauset2009power", "hill1975simple"],
)
def heavy_tails(runs: Runs, *, top: Share = 0.5) -> dict[str, np.ndarray]:
    """Exponents of power laws in the spectra of the layers' weights.

    The eigenvalues of `W^T W` of each layer are taken as a sample of a density `x^-alpha` from some lowest
    value on; small alpha is a heavy tail, which Martin and Mahoney (2021) find in networks that generalise
    well. `alpha` and `lowest` are by maximum likelihood and smallest Kolmogorov-Smirnov distance (Clauset,
    Shalizi and Newman 2009), with `alpha_error = (alpha - 1) / sqrt(tail)`, the `distance` and the number of
    eigenvalues in the tail: a large distance or a tail of a few values says that there is no law to speak of.
    `mean_alpha` is the mean over layers and `weighted_alpha = mean_l alpha_l log10(largest eigenvalue)`
    (Martin, Peng and Mahoney 2021, equation 6). `hill` is the exponent by Hill (1975) from the largest
    eigenvalues.

    Unlike `weightwatcher`, a convolution is one matrix `(outputs, channels * height * width)`, not one for
    each place of the kernel. `alpha` and `hill` do not see the scale of the weights. Eigenvalues that are
    zero in float32 are left out. A layer with fewer than two different eigenvalues has no exponent: NaN, and
    it is left out of the means. Biases and normalisation do not enter. Exact up to float64 rounding.

    Args:
        top: share of the eigenvalues that `hill` uses, rounded down to whole ones, at least one.
    """
    found = [[_layer(one, top) for one in matrix] for matrix in matrices(runs).values()]
    table = np.array(found).transpose(1, 2, 0)  # (members, figures, layers)
    alpha, error, lowest, distance, tail, tops, largest = table.transpose(1, 0, 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        weighted = alpha * np.log10(largest)
    return {
        "alpha": alpha,
        "alpha_error": error,
        "lowest": lowest,
        "distance": distance,
        "tail": tail.astype(np.int64),
        "hill": tops,
        "mean_alpha": _mean(alpha),
        "weighted_alpha": _mean(weighted),
        "layer": np.arange(1, len(found) + 1),
    }


def _layer(matrix: Tensor, top: float) -> tuple[float, ...]:
    values = np.square(torch.linalg.svdvals(matrix).cpu().numpy())
    rounding = np.finfo(np.float32).eps * max(matrix.shape)
    positive = values[values > values[0] * rounding**2]
    law = power_law(positive)
    return (*law, hill(positive, max(1, int(top * len(positive)))), float(values[0]))


def _mean(values: np.ndarray) -> np.ndarray:
    """Mean of what is there along the last axis; NaN where nothing is."""
    count = np.isfinite(values).sum(1)
    total = np.where(np.isfinite(values), values, 0.0).sum(1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
