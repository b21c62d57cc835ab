"""Integrated gradients."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor

from gendsl_runtime.component import Count, SplitName, analysis
from gendsl_runtime.measures import attributions
from gendsl_runtime.runs import BLOCK, Runs


@analysis(
    version=1,
    needs=["classification", "numbers"],
    gives={
        "attribution": "1 [example, y, x]",
        "completeness_error": "1 [example]",
        "worst_error": "1",
    },
    axes={
        "example": "place of the example in its split",
        "y": "row of the input",
        "x": "column of the input",
    },
    paper="sundararajan2017axiomatic",
)
def integrated_gradients(
    runs: Runs,
    *,
    baseline: Literal["zero", "mean"] = "zero",
    steps: Count = 50,
    of: Literal["label", "predicted"] = "label",
    score: Literal["logit", "probability"] = "logit",
    examples: Count = 50,
    on: SplitName = "test",
) -> dict[str, Tensor | np.ndarray]:
    """What each number of an input adds to the score of a class, against a baseline.

    `IG_i = (x_i - x'_i) int_0^1 dF/dx_i (x' + a (x - x')) da` with the score F and the baseline x' (Sundararajan, Taly
    and Yan 2017). The integral is taken by Gauss and Legendre's rule with `steps` points. Attributions sum to
    `F(x) - F(x')` (completeness); `completeness_error` is by how much the sum misses it, which is the error of the
    integral, and `worst_error` the largest of them: more steps make it smaller, slowly where the path crosses kinks of
    relu. Channels of an image are summed; the numbers of a vector lie in one row. Gradients in float32, sums in
    float64, evaluation mode.

    Args:
        baseline: `zero`, or the `mean` input of the split.
        steps: points of the integral.
        of: the class that is explained, the `label` or the one that is `predicted`.
        score: the `logit` of that class, or its `probability`.
        examples: the first so many of the split.
        on: the split.
    """
    inputs, targets = attributions.first(runs, on, examples)
    classes = attributions.explained(runs, inputs, targets, of)
    start = attributions.baseline(runs, on, baseline, inputs)
    points, weights = np.polynomial.legendre.leggauss(steps)
    total = torch.zeros(inputs.shape, dtype=torch.float64, device=inputs.device)
    for point, weight in zip((points + 1) / 2, weights / 2, strict=True):
        along = start + float(point) * (inputs - start)
        for place in range(0, inputs.shape[1], BLOCK):
            part = slice(place, place + BLOCK)
            total[:, part] += weight * attributions.gradient(runs, along[:, part], classes[:, part], score)[1]
    found = total * (inputs - start)
    error = (found.flatten(2).sum(2) - _rise(runs, start, inputs, classes, score)).abs()
    return {
        "attribution": attributions.pictures(found),
        "completeness_error": error,
        "worst_error": error.amax(1),
        **attributions.ticks(runs.network.shape),
    }


@torch.no_grad()
def _rise(runs: Runs, start: Tensor, inputs: Tensor, classes: Tensor, kind: attributions.Score) -> Tensor:
    """`F(x) - F(x')` of each example, in float64."""
    ends = (inputs, start.expand_as(inputs))
    after, before = (attributions.score(runs.outputs(end).double(), classes, kind) for end in ends)
    return after - before
