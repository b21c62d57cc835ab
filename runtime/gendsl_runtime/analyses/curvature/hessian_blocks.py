"""Curvature layer by layer."""

from __future__ import annotations

from itertools import groupby
from typing import Literal

import numpy as np
import torch

from gendsl_runtime.component import Count, Natural, Positive, SplitName, analysis
from gendsl_runtime.measures import vectors
from gendsl_runtime.measures.curvature import curvature_product, is_converged, parts, rounding, top_spaces
from gendsl_runtime.measures.lanczos import Search
from gendsl_runtime.measures.probes import check_probes, dots, images, mean
from gendsl_runtime.network import Tensors
from gendsl_runtime.runs import Runs


@analysis(
    version=1,
    gives={
        "top": "1 [layer]",
        "residual": "1 [layer]",
        "converged": "1 [layer]",
        "trace": "1 [layer]",
        "trace_error": "1 [layer]",
        "size": "1 [layer]",
    },
    axes={"layer": "layer with parameters, by name, in the order of the network"},
    paper=["lanczos1950iteration", "hutchinson1990stochastic", "bekas2007estimator", "schraudolph2002fast"],
)
def hessian_blocks(
    runs: Runs,
    *,
    on: SplitName = "train",
    operator: Literal["hessian", "ggn", "fisher", "empirical_fisher"] = "hessian",
    by: Literal["layer", "tensor"] = "layer",
    tolerance: Positive = 1e-3,
    iterations: Count = 100,
    probes: Count = 32,
    samples: Natural = 0,
) -> dict[str, np.ndarray]:
    """Largest eigenvalue and trace of each layer's block of the Hessian, or of what stands for it.

    The block A_ll of a layer holds the second derivatives by its own parameters (weights and biases together):
    the curvature that is seen when only that layer moves. The largest eigenvalue by Lanczos within the block; the
    traces of all blocks from the same probes, `sum_{i in l} v_i (A v)_i` with random signs v over all
    parameters, unbiased for each (Bekas, Kokiopoulou and Saad 2007), so that they add up to the whole trace. The
    matrices, the loss, BatchNorm and dropout (evaluation mode) are those of `hessian_top`.

    Numerical error: an eigenvalue of the block lies within `residual` of `top`; `converged` is 1 where that is
    below `tolerance` of the block's largest modulus. `trace_error` is the standard error over probes.

    Args:
        on: the split; `fit` is everything the run was trained on.
        operator: `hessian`, `ggn`, `fisher` or `empirical_fisher`.
        by: blocks of a `layer`, or of each parameter `tensor` (weights and biases apart).
        tolerance: residual at which an eigenvalue counts as converged, relative to the largest modulus.
        iterations: matrix-vector products at most, for each block.
        probes: matrix-vector products for the traces, at least 2.
        samples: labels drawn for each example for `fisher`; 0 is the exact expectation.

    Returns:
        All `(members, layer)`; `size` is the number of parameters of a block.
    """
    check_probes(probes)
    blocks = layer_slices(runs.state.parameters, by=by)
    tops = [_top(runs, block, on, operator, tolerance, iterations, samples) for block in blocks.values()]
    traces = [
        _traces(part, list(blocks.values()), on, operator, probes, samples)
        for part in parts(runs, on=on, rows=3)
    ]
    given = {name: np.stack([top[name] for top in tops], axis=1) for name in tops[0]}
    sizes = [block.stop - block.start for block in blocks.values()]
    return {
        **given,
        "trace": np.concatenate([trace[0] for trace in traces]),
        "trace_error": np.concatenate([trace[1] for trace in traces]),
        "size": np.tile(sizes, (runs.members, 1)),
        "layer": np.array(list(blocks)),
    }


def layer_slices(parameters: Tensors, *, by: Literal["layer", "tensor"]) -> dict[str, slice]:
    """Where each layer's parameters lie in the vector of all."""
    found, start = {}, 0
    for layer, names in groupby(parameters, key=lambda name: _layer(name) if by == "layer" else name):
        end = start + sum(parameters[name][0].numel() for name in names)
        found[layer] = slice(start, end)
        start = end
    return found


def _layer(name: str) -> str:
    return name.rpartition(".")[0] or name


def _top(
    runs: Runs,
    block: slice,
    on: str,
    operator: Literal["hessian", "ggn", "fisher", "empirical_fisher"],
    tolerance: float,
    iterations: int,
    samples: int,
) -> dict[str, np.ndarray]:
    search = Search(1, iterations, tolerance, repeated=False, rounding=rounding(runs))
    spaces = top_spaces(
        runs,
        search,
        on=on,
        operator=operator,
        samples=samples,
        purpose=f"hessian_blocks.{block.start}",
        within=block,
    )
    return {
        "top": np.array([float(space.pairs.values[0]) for space in spaces]),
        "residual": np.array([float(space.pairs.residuals[0]) for space in spaces]),
        "converged": np.array([int(is_converged(space, search)[0]) for space in spaces]),
    }


def _traces(
    runs: Runs,
    blocks: list[slice],
    on: str,
    operator: Literal["hessian", "ggn", "fisher", "empirical_fisher"],
    probes: int,
    samples: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Traces and their standard errors `(members, blocks)`."""
    product = curvature_product(runs, on=on, operator=operator, samples=samples)
    size = vectors.size(runs.state.parameters)
    seen = images(product, "hessian_blocks", runs.seeds, size, probes, runs.device)
    drawn = [[dots(v[:, block], image[:, block]) for block in blocks] for v, image in seen]
    estimates = [mean(torch.stack([row[place] for row in drawn], dim=1)) for place in range(len(blocks))]
    return (
        torch.stack([one.value for one in estimates], dim=1).cpu().numpy(),
        torch.stack([one.error for one in estimates], dim=1).cpu().numpy(),
    )
