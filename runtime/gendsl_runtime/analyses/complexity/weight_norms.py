"""Norms of weights."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from gendsl_runtime.component import analysis
from gendsl_runtime.measures.matrices import matrices, spectral_norms
from gendsl_runtime.runs import Runs


@analysis(
    version=1,
    gives={
        "total": "1",
        "frobenius": "1 [layer]",
        "spectral": "1 [layer]",
        "stable_rank": "1 [layer]",
        "spectral_product": "1",
    },
    axes={"layer": "place of the layer with weights, from the input, from 1"},
    paper="bartlett2017spectrally",
)
def weight_norms(runs: Runs) -> dict[str, Tensor | np.ndarray]:
    """Sizes of the weights, whole and by layer.

    `total = sqrt(sum of all parameters squared)`, biases and normalisation gains included, as stored. By
    layer, for the matrix W that acts (with the factor of the `ntk` parametrisation): `frobenius = ||W||_F`,
    `spectral = ||W||_2`, its largest singular value, and `stable_rank = ||W||_F^2 / ||W||_2^2` (1 where W is
    zero). A convolution counts as the matrix `(outputs, channels * height * width)` on one patch, not as the
    operator on the whole image. Biases are in `total` only. `spectral_product` is the product over layers.
    Float64 singular values of float32 weights: relative error about 1e-14 beyond that of the weights.
    """
    frobenius = torch.stack(
        [matrix.flatten(1).square().sum(1) for matrix in matrices(runs).values()], 1
    ).sqrt()
    spectral = spectral_norms(runs)
    squares = [parameter.double().flatten(1).square().sum(1) for parameter in runs.state.parameters.values()]
    rank = torch.where(spectral > 0, (frobenius / spectral).square(), 1.0)
    return {
        "total": sum(squares, start=torch.zeros(())).sqrt(),
        "frobenius": frobenius,
        "spectral": spectral,
        "stable_rank": rank,
        "spectral_product": spectral.prod(1),
        "layer": np.arange(1, spectral.shape[1] + 1),
    }
