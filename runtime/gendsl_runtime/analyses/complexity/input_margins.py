"""Margins in the space of inputs, to first order."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor

from gendsl_runtime.component import SplitName, analysis
from gendsl_runtime.measures.gradients import parts
from gendsl_runtime.runs import Runs

DUAL = {"l2": 2.0, "linf": 1.0, "l1": float("inf")}
"""Order of the norm that bounds `<gradient, change>` for a change of length 1."""


@analysis(
    version=1,
    needs=["classification", "numbers"],
    gives={"input_margin": "1 [example]", "median": "1", "mean": "1", "finite": "1", "lowest": "1"},
    axes={"example": "place of the example in its split"},
    paper=["elsayed2018large", "moosavi2016deepfool"],
)
def input_margins(
    runs: Runs, *, on: SplitName = "train", norm: Literal["l2", "linf", "l1"] = "l2"
) -> dict[str, np.ndarray]:
    """How far, to first order, an input may be moved before another class wins.

    `input_margin_i = min_{c != y} (f_y - f_c)(x_i) / |grad_x (f_y - f_c)(x_i)|_*` with the dual norm (Elsayed
    et al. 2018, equation 5; the first step of DeepFool, Moosavi-Dezfooli et al. 2016, for examples that are
    classified rightly). It is the distance to the decision boundary for a linear network and a guess for any
    other: neither a bound from above nor from below. Negative for examples on the wrong side. Where a
    gradient is 0 the quotient is infinite with the sign of the difference, and 0 for 0 / 0. In the units of
    the inputs as the network sees them; evaluation mode.

    Unchanged when outputs are multiplied by a positive number or hidden ReLU units rescaled. Gradients in the
    precision of the parameters (float32: about 1e-6, relative), quotients in float64.

    Args:
        on: the split.
        norm: how a change of the input is measured: `l2`, `linf` or `l1`.

    Returns:
        `input_margin` `(members, examples)`; `median` (of the middle two for an even number), `lowest`, and
        `mean` over the margins that are finite, whose share is `finite` (NaN where none is).
    """
    found = [torch.cat([_margins(part, x, y, norm) for x, y in part.chunks(on)], 1) for part in parts(runs)]
    margin = torch.cat(found).cpu().numpy()
    is_finite = np.isfinite(margin)
    count = is_finite.sum(1)
    total = np.where(is_finite, margin, 0.0).sum(1)
    return {
        "input_margin": margin,
        "median": np.median(margin, axis=1),
        "mean": np.where(count > 0, total / np.maximum(count, 1), np.nan),
        "finite": count / margin.shape[1],
        "lowest": margin.min(1),
    }


def _margins(part: Runs, inputs: Tensor, targets: Tensor, norm: str) -> Tensor:
    """`(members, examples)`, from the gradient of every output."""
    leaf = inputs.detach().clone().requires_grad_()
    with torch.enable_grad():
        outputs = part.outputs(leaf)
    gradients = [
        torch.autograd.grad(outputs[:, c].sum(), leaf, retain_graph=True)[0].flatten(2).double()
        for c in range(outputs.shape[1])
    ]
    slopes = torch.stack(gradients, 1)  # (members, classes, examples, features)
    values = outputs.detach().double()
    right = targets.unsqueeze(1)
    gaps = values.gather(1, right) - values
    own = slopes.gather(1, right.unsqueeze(3).expand(-1, -1, -1, slopes.shape[3]))
    sizes = torch.linalg.vector_norm(own - slopes, ord=DUAL[norm], dim=3)
    quotient = torch.where(gaps == 0, 0.0, gaps / sizes)
    return quotient.scatter(1, right, torch.inf).amin(1)
