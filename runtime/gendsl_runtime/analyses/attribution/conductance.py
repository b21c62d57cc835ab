"""Conductance of hidden units."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor

from gendsl_runtime.component import Count, SplitName, Text, analysis
from gendsl_runtime.measures import attributions
from gendsl_runtime.measures.attributions import Halves
from gendsl_runtime.runs import Runs


@analysis(
    version=1,
    needs=["classification", "numbers"],
    gives={"conductance": "1 [unit]", "size": "1 [unit]", "completeness_error": "1"},
    axes={"unit": "place of the unit in its layer"},
    paper="dhamdhere2019important",
)
def conductance(
    runs: Runs,
    *,
    layer: Text | None = None,
    baseline: Literal["zero", "mean"] = "zero",
    steps: Count = 50,
    of: Literal["label", "predicted"] = "label",
    score: Literal["logit", "probability"] = "logit",
    examples: Count = 200,
    on: SplitName = "test",
) -> dict[str, Tensor | np.ndarray]:
    """What each unit of a hidden layer passes on to the score of a class, as the input grows from a baseline.

    `C_j(x) = int_0^1 dF/dh_j dh_j/da da` along `x' + a (x - x')`, which is the integrated gradient that flows through
    unit j (Dhamdhere, Sundararajan and Yan 2019, equation 3). Each of `steps` equal parts of the path adds the slope
    by h in its middle times the change of h over it. Units of a layer sum to `F(x) - F(x')`; `completeness_error` is
    the largest miss of an example. `conductance` is the mean over the examples, `size` the mean of its modulus.
    Every place of a channel is a unit. Evaluation mode, sums in float64.

    Args:
        layer: name of the hidden layer, `hidden.0`; the last one unless given.
        baseline: `zero`, or the `mean` input of the split.
        steps: parts of the path.
        of: the class that is explained, the `label` or the one that is `predicted`.
        score: the `logit` of that class, or its `probability`.
        examples: the first so many of the split.
        on: the split.

    Raises:
        Problem: there is no such layer.
    """
    halves = Halves(runs, layer)
    inputs, targets = attributions.first(runs, on, examples)
    classes = attributions.explained(runs, inputs, targets, of)
    start = attributions.baseline(runs, on, baseline, inputs)
    way = inputs - start
    with torch.no_grad():
        before = low = halves.hidden(start.expand_as(inputs))
        flow = torch.zeros(low.shape, dtype=torch.float64, device=low.device)
        for step in range(steps):
            high = halves.hidden(start + (step + 1) / steps * way)
            middle = halves.hidden(start + (step + 0.5) / steps * way)
            flow += _slope(halves, middle, classes, score).double() * (high - low).double()
            low = high
        ends = [attributions.score(halves.outputs(h).double(), classes, score) for h in (before, low)]
    units = flow.reshape(len(flow), -1, flow.shape[-1])
    return {
        "conductance": units.mean(2),
        "size": units.abs().mean(2),
        "completeness_error": (units.sum(1) - (ends[1] - ends[0])).abs().amax(1),
    }


def _slope(halves: Halves, hidden: Tensor, classes: Tensor, score: attributions.Score) -> Tensor:
    with torch.enable_grad():
        leaf = hidden.detach().requires_grad_()
        total = attributions.score(halves.outputs(leaf), classes, score).sum()
        return torch.autograd.grad(total, leaf)[0]
