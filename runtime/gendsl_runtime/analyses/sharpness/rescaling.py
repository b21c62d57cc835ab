"""Sharpness before and after a rescaling that changes no output."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
import torch

from gendsl_runtime.analyses.curvature.hessian_top import hessian_top
from gendsl_runtime.analyses.curvature.hessian_trace import hessian_trace
from gendsl_runtime.analyses.sharpness.expected_sharpness import expected_sharpness
from gendsl_runtime.analyses.sharpness.sam_sharpness import sam_sharpness
from gendsl_runtime.component import Count, Natural, Positive, SplitName, analysis
from gendsl_runtime.measures.rescale import rescaled
from gendsl_runtime.runs import Runs

MEASURES: Mapping[str, Callable[[Runs, str, int], object]] = MappingProxyType(
    {
        "largest eigenvalue": lambda runs, on, _: hessian_top(runs, count=1, on=on, repeated=False)[
            "eigenvalue"
        ][:, 0],
        "trace": lambda runs, on, samples: hessian_trace(runs, on=on, probes=samples)["trace"],
        "SAM": lambda runs, on, _: sam_sharpness(runs, on=on)["sharpness"],
        "expected": lambda runs, on, samples: expected_sharpness(runs, on=on, samples=samples)["sharpness"],
        "ASAM": lambda runs, on, _: sam_sharpness(runs, on=on, radius=0.5, adaptive="elementwise", eta=0.0)[
            "sharpness"
        ],
        "magnitude": lambda runs, on, samples: expected_sharpness(
            runs, on=on, sigma=0.1, noise="magnitude", samples=samples
        )["sharpness"],
    }
)
"""The first four see the scale of layers; the last two do not."""


@analysis(
    version=1,
    gives={
        "ratio": "1 [measure]",
        "before": "1 [measure]",
        "after": "1 [measure]",
        "output_change": "1",
    },
    axes={"measure": "measure of sharpness, by name"},
    paper=["dinh2017sharp", "foret2021sharpness", "kwon2021asam", "neyshabur2017exploring"],
)
def rescaling(
    runs: Runs,
    *,
    factor: Positive = 10.0,
    layer: Natural = 0,
    samples: Count = 32,
    on: SplitName = "train",
) -> dict[str, np.ndarray]:
    """What measures of sharpness make of a change of the weights that leaves the function as it is.

    The alpha-scale transformation of Dinh et al. (2017, definition 5): weights and bias of one layer times
    `factor`, the weights of the next divided by it, in a network whose activations are homogeneous (relu,
    leaky_relu, identity; no norms). The function is checked on the whole split: `output_change` is the largest
    change of an output relative to the largest output, rounding alone (below about 1e-5 in float32).

    Measures, with their default settings: the `largest eigenvalue` and the `trace` of the Hessian, the sharpness of
    `SAM` and the `expected` sharpness see the scale of layers; `ASAM` (elementwise, radius 0.5, eta 0) and `magnitude`
    (expected rise under noise of 0.1 of each weight) do not. The same probes and noise before and after.

    Numerical error: that of each measure; of those that are blind to scale the ratio is 1 up to rounding.
    Evaluation mode, no dropout. NaN where both are 0.

    Args:
        factor: alpha.
        layer: the layer that is multiplied, from 0, among those with weights.
        samples: probes of the trace and random changes of the weights.
        on: the split; `fit` is everything the run was trained on.

    Returns:
        `before`, `after` and their `ratio` after / before, `(members, measure)`; `output_change` `(members,)`.
    """
    moved = rescaled(runs, layer=layer, factor=factor)
    before, after = (
        np.stack([np.asarray(of(one, on, samples)) for of in MEASURES.values()], axis=1)
        for one in (runs, moved)
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = after / before
    return {
        "ratio": ratio,
        "before": before,
        "after": after,
        "output_change": _change(runs, moved, on),
        "measure": np.array(list(MEASURES)),
    }


@torch.no_grad()
def _change(runs: Runs, moved: Runs, on: str) -> np.ndarray:
    """Largest change of an output relative to the largest output, `(members,)`."""
    most, whole = np.zeros(runs.members), np.zeros(runs.members)
    for inputs, _ in runs.chunks(on):
        own, other = runs.outputs(inputs).double(), moved.outputs(inputs).double()
        most = np.maximum(most, (own - other).abs().amax((1, 2)).cpu().numpy())
        whole = np.maximum(whole, own.abs().amax((1, 2)).cpu().numpy())
    return np.asarray(np.where(most == 0, 0.0, most / np.where(whole == 0, 1.0, whole)))
