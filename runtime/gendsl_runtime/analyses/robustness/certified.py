"""Certified accuracy."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor

from gendsl_runtime.component import NonNegative, SplitName, analysis
from gendsl_runtime.measures import certify
from gendsl_runtime.runs import Runs

MEMORY = 2**28
"""Bytes of rows that are followed back at once."""


@analysis(
    version=1,
    needs=["classification", "numbers"],
    gives={"accuracy": "1 [radius]", "margin": "1 [radius, example]"},
    shares=["accuracy"],
    axes={
        "radius": "size of the perturbation, in units of the inputs",
        "example": "place of the example in its split",
    },
    paper=["gowal2018effectiveness", "zhang2018efficient"],
)
def certified(
    runs: Runs,
    *,
    radius: list[NonNegative] = (0.01,),  # type: ignore[assignment]
    norm: Literal["linf", "l2"] = "linf",
    method: Literal["crown", "ibp"] = "crown",
    on: SplitName = "test",
) -> dict[str, Tensor | np.ndarray]:
    """Share of examples for which no change up to a radius can make the network wrong, proven.

    `margin = min_c L_c(x)`, L_c a lower bound of `f_y - f_c` over the ball around x; the example is certified where
    it is above 0. `ibp`: intervals through the layers (Gowal et al. 2018), the last layer taken together with the
    difference of classes. `crown`: each activation is held between two lines, which are followed back from the
    difference of classes to the input (Zhang et al. 2018, with the adaptive slope for relu); what goes into each
    activation is bounded in the same way, or by its interval where that is tighter; so is the margin itself.

    A lower bound of the robust accuracy; `adversarial` is an upper bound. Float64, rounded to nearest: a margin
    within about 1e-12 of 0 is not certain. For chains of linear, convolution, average pooling and batch norm (running
    statistics) layers with relu, leaky_relu, tanh or erf; dropout is off.

    Args:
        radius: sizes of the perturbation, in units of the inputs.
        norm: `linf`, the largest change of one number, or `l2`, the Euclidean length of the change.
        method: `crown`, or `ibp`, looser and cheaper.
        on: the split.

    Raises:
        Problem: the network is no such chain, or a layer of it is too large.
    """
    bound = certify.lowest_by_lines if method == "crown" else certify.lowest_by_intervals
    margins = []
    for member in range(runs.members):
        one = runs.select([member])
        network = certify.chain(one)
        inputs, targets = (part[0].cpu() for part in one.split(on))
        flat = inputs.double().flatten(1)
        widest = max(network.maps, key=lambda part: part.weight.numel()).weight.numel()
        step = max(1, MEMORY // (16 * widest))
        with torch.no_grad():
            rows = [
                torch.cat(
                    [
                        bound(network, x, float(size), norm, _leads(y, runs.network.outputs)).amin(1)
                        for x, y in zip(torch.split(flat, step), torch.split(targets, step), strict=True)
                    ]
                )
                for size in radius
            ]
        margins.append(torch.stack(rows))
    margin = torch.stack(margins)
    return {
        "accuracy": (margin > 0).double().mean(2),
        "margin": margin,
        "radius": np.array(radius, dtype=float),
    }


def _leads(targets: Tensor, classes: int) -> Tensor:
    """Rows `e_y - e_c` for every other class c, `(examples, classes - 1, classes)`."""
    unit = torch.eye(classes, dtype=torch.float64)
    others = torch.stack([torch.cat([torch.arange(y), torch.arange(y + 1, classes)]) for y in range(classes)])
    return unit[targets][:, None] - unit[others[targets]]
