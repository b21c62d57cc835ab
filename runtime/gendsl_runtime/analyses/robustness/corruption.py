"""Accuracy on corrupted inputs."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor

from gendsl_runtime.component import NonNegative, SplitName, analysis
from gendsl_runtime.measures.corrupt import NEEDS_IMAGES, corrupted
from gendsl_runtime.problem import Problem
from gendsl_runtime.random import generator
from gendsl_runtime.runs import Runs


@analysis(
    version=1,
    needs=["classification", "numbers"],
    gives={"accuracy": "1 [severity]", "error": "1 [severity]", "mean_error": "1"},
    shares=["accuracy", "error", "mean_error"],
    axes={"severity": "how strongly inputs are corrupted"},
    paper="hendrycks2019benchmarking",
)
def corruption(
    runs: Runs,
    *,
    kind: Literal["gaussian", "uniform", "salt_pepper", "contrast", "blur", "occlusion"] = "gaussian",
    severity: list[NonNegative] = (0.0, 0.1, 0.2, 0.5),  # type: ignore[assignment]
    on: SplitName = "test",
) -> dict[str, Tensor | np.ndarray]:
    """How accuracy falls as inputs get worse in a common way.

    After Hendrycks and Dietterich (2019), with severities as numbers in place of their five levels: `gaussian`
    adds noise of that standard deviation, `uniform` noise between plus and minus it, both in units of the inputs;
    `salt_pepper` sets that share of the numbers to the smallest or largest of the split; `contrast` pulls each example
    by that share towards its mean; `blur` is a Gaussian filter of that many pixels; `occlusion` covers a square of that
    share of the image with the mean. `mean_error` is the mean over the severities. Noise is drawn once for each run,
    example and severity, from a stream of the run's seed; the inputs are not cut to their range. Evaluation mode.

    Args:
        kind: the corruption.
        severity: how strong; 0 leaves inputs as they are.
        on: the split.
    """
    if kind in NEEDS_IMAGES and len(runs.network.shape) != 3:
        raise Problem(
            "wrong-shape", f"`{kind}` corrupts images", help="use `gaussian`, `uniform` or `salt_pepper`"
        )
    if kind in ("salt_pepper", "occlusion") and max(severity) > 1:
        raise Problem("out-of-range", f"severities of `{kind}` are shares, from 0 to 1")
    inputs, targets = runs.split(on)
    examples = targets.shape[1]
    wrong = []
    for place, strength in enumerate(severity):
        streams = [generator(f"corruption.{kind}", seed, place) for seed in runs.seeds]
        worse = [
            corrupted(own, kind, float(strength), stream) for own, stream in zip(inputs, streams, strict=True)
        ]
        with torch.no_grad():
            wrong.append((runs.outputs(torch.stack(worse)).max(1).indices != targets).double().sum(1))
    errors = torch.stack(wrong, 1)
    return {
        "accuracy": (examples - errors) / examples,
        "error": errors / examples,
        "mean_error": (errors / examples).mean(1),
        "severity": np.array(severity, dtype=float),
    }
