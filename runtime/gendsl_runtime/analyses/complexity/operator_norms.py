"""Spectral norms of layers as the operators they are."""

from __future__ import annotations

import numpy as np

from gendsl_runtime.component import analysis
from gendsl_runtime.measures.norms import lipschitz, maps
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Runs


@analysis(
    version=1,
    gives={
        "product": "1",
        "spectral": "1 [layer]",
        "residual": "1 [layer]",
        "frobenius": "1 [layer]",
        "stable_rank": "1 [layer]",
        "lipschitz": "1",
    },
    axes={"layer": "linear layer or convolution, by name"},
    paper=["sedghi2019singular", "gouk2021regularisation"],
)
def operator_norms(runs: Runs) -> dict[str, np.ndarray]:
    """Largest singular values of the layers as linear maps, convolutions on whole images.

    A convolution acts on an image of its actual size, with zero padding and its stride, as a large sparse
    matrix A; `spectral = ||A||_2` is that of A, not of the kernel on one patch (`weight_norms`), from which
    it may differ by up to the side of the kernel, and not of the circular convolution, whose Fourier
    transform gives the norms of Sedghi et al. (2019) and a slightly different number. `frobenius = ||A||_F`,
    `stable_rank = (frobenius / spectral)^2` (1 for A = 0), and `product` is the product of `spectral` over
    layers.

    `lipschitz` bounds how much longer a difference of inputs can get (l2; Gouk et al. 2021): the product over
    all layers, activations (largest slope: 1.129 for gelu), pooling and BatchNorm (running statistics) among
    them; the two ways of a residual block add up. It is infinite with LayerNorm, GroupNorm, `quadratic`,
    attention and recurrent cells. Biases do not enter.

    Dense layers are decomposed. Of convolutions the largest eigenvalue of `A^T A` is found by Lanczos' method
    to a relative 1e-10, float64; `residual` is the error of `spectral` to first order.

    Raises:
        Problem: the network has no linear layers or convolutions, or its layers are not known.
    """
    members = maps(runs)
    if not members[0]:
        raise Problem("unknown-layers", "the network has no linear layers or convolutions to measure")
    found = np.array([[one.spectral() for one in own] for own in members])
    spectral, residual = found.transpose(2, 0, 1)
    names = [one.name for one in members[0]]
    frobenius = np.array([[float(one.rows().square().sum().sqrt()) for one in own] for own in members])
    rank = np.square(frobenius / np.where(spectral > 0, spectral, 1.0))
    return {
        "product": spectral.prod(1),
        "spectral": spectral,
        "residual": residual,
        "frobenius": frobenius,
        "stable_rank": np.where(spectral > 0, rank, 1.0),
        "lipschitz": lipschitz(runs, [dict(zip(names, row, strict=True)) for row in spectral.tolist()]),
        "layer": np.array(names),
    }
