"""Sensitivity to the input."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor

from gendsl_runtime.component import SplitName, analysis
from gendsl_runtime.measures.gradients import parts
from gendsl_runtime.runs import Runs


@analysis(
    version=2,
    needs="numbers",
    gives={"mean": "1", "mean_error": "1", "sensitivity": "1 [example]"},
    axes={"example": "place of the example in its split"},
    paper="novak2018sensitivity",
)
def sensitivity(
    runs: Runs, *, on: SplitName = "test", of: Literal["outputs", "probabilities"] = "probabilities"
) -> dict[str, np.ndarray]:
    """How strongly the function answers to small changes of its input.

    `sensitivity_i = || df/dx (x_i) ||_F`, the Frobenius norm of the input-output Jacobian of the class
    probabilities (Novak et al. 2018, section 3.1) or of the outputs before the softmax; of a regression
    always of the outputs, of a labelling at all places together. Its square is the mean squared change along random
    directions, n |df|^2 / |dx|^2. In units of the inputs as the network sees them; evaluation mode. The gradients are
    in the precision of the parameters (float32: about 1e-6, relative). `mean_error` is the standard error of `mean`
    over examples.

    Args:
        on: the split whose inputs the function is looked at.
        of: `probabilities` (the softmax) or `outputs`.
    """
    is_softmax = of == "probabilities" and runs.data[0].task != "regression"
    found = [torch.cat([_norms(part, x, is_softmax) for x, _ in part.chunks(on)], 1) for part in parts(runs)]
    norms = torch.cat(found).cpu().numpy()
    count = norms.shape[1]
    error = norms.std(1, ddof=min(1, count - 1)) / np.sqrt(count)
    return {"mean": norms.mean(1), "mean_error": error, "sensitivity": norms}


def _norms(part: Runs, inputs: Tensor, is_softmax: bool) -> Tensor:
    """`(members, examples)`, one backward pass for each output."""
    leaf = inputs.detach().clone().requires_grad_()
    with torch.enable_grad():
        values = part.outputs(leaf)
        values = values.softmax(1) if is_softmax else values
    squares = torch.zeros(inputs.shape[:2], dtype=torch.float64, device=inputs.device)
    # Of a labelling, every class at every place.
    for output in values.flatten(1, -2).unbind(1):
        (slope,) = torch.autograd.grad(output.sum(), leaf, retain_graph=True)
        squares += slope.flatten(2).double().square().sum(2)
    return squares.sqrt()
