"""Saliency maps."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor

from gendsl_runtime.component import Count, NonNegative, SplitName, analysis
from gendsl_runtime.measures import attributions
from gendsl_runtime.random import generator
from gendsl_runtime.runs import Runs


@analysis(
    version=1,
    needs=["classification", "numbers"],
    gives={"attribution": "1 [example, y, x]"},
    axes={
        "example": "place of the example in its split",
        "y": "row of the input",
        "x": "column of the input",
    },
    paper=["simonyan2014deep", "smilkov2017smoothgrad"],
)
def saliency(
    runs: Runs,
    *,
    form: Literal["absolute", "signed", "times_input"] = "absolute",
    noise: NonNegative = 0.0,
    samples: Count = 25,
    of: Literal["label", "predicted"] = "label",
    score: Literal["logit", "probability"] = "logit",
    examples: Count = 50,
    on: SplitName = "test",
) -> dict[str, Tensor | np.ndarray]:
    """How much the score of a class changes with each number of the input.

    `|dF/dx|` (Simonyan, Vedaldi and Zisserman 2014), of an image the largest over its channels as there; `signed` and
    `times_input` (`x dF/dx`) are summed over channels. With `noise` it is the mean of the signed gradients at `samples`
    points `x + e`, e Gaussian with standard deviation `noise` times the range of the split, before the form is taken
    (Smilkov et al. 2017, SmoothGrad, who use 0.1 to 0.2). The numbers of a vector lie in one row. Evaluation mode.

    Args:
        form: `absolute`, `signed` or `times_input`.
        noise: standard deviation of the noise, as a share of the range of the inputs; 0 is the plain gradient.
        samples: points, where there is noise.
        of: the class that is explained, the `label` or the one that is `predicted`.
        score: the `logit` of that class, or its `probability`.
        examples: the first so many of the split.
        on: the split.
    """
    inputs, targets = attributions.first(runs, on, examples)
    classes = attributions.explained(runs, inputs, targets, of)
    slopes = _mean_slopes(runs, inputs, classes, score, noise=noise, samples=samples, on=on)
    if form == "absolute":
        found = slopes.abs()
        found = found.amax(2, keepdim=True) if found.ndim == 5 else found
    else:
        found = slopes if form == "signed" else slopes * inputs
    return {"attribution": attributions.pictures(found), **attributions.ticks(runs.network.shape)}


def _mean_slopes(
    runs: Runs,
    inputs: Tensor,
    classes: Tensor,
    score: attributions.Score,
    *,
    noise: float,
    samples: int,
    on: str,
) -> Tensor:
    if not noise:
        return attributions.gradient(runs, inputs, classes, score)[1].double()
    every = runs.split(on)[0].flatten(1)
    spread = noise * (every.amax(1) - every.amin(1)).double()
    streams = [generator("saliency", seed) for seed in runs.seeds]
    total = torch.zeros(inputs.shape, dtype=torch.float64, device=inputs.device)
    for _ in range(samples):
        drawn = np.stack([stream.standard_normal(inputs.shape[1:]) for stream in streams])
        change = torch.from_numpy(drawn).to(inputs.device) * spread.reshape(-1, *[1] * (inputs.ndim - 1))
        total += attributions.gradient(runs, (inputs + change).to(inputs), classes, score)[1]
    return total / samples
