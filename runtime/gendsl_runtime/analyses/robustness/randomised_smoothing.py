"""Certified radius of the smoothed classifier."""

from __future__ import annotations

import numpy as np
import torch
from scipy.stats import beta, norm
from torch import Tensor

from gendsl_runtime.component import Count, NonNegative, Positive, Share, SplitName, analysis
from gendsl_runtime.random import generator
from gendsl_runtime.runs import BLOCK, Runs


@analysis(
    version=1,
    needs=["classification", "numbers"],
    gives={
        "accuracy": "1 [radius]",
        "certified_radius": "1 [example]",
        "mean_radius": "1",
        "abstained": "1",
    },
    shares=["accuracy", "abstained"],
    axes={
        "radius": "size of the perturbation, Euclidean, in units of the inputs",
        "example": "place of the example in its split",
    },
    paper="cohen2019certified",
)
def randomised_smoothing(
    runs: Runs,
    *,
    sigma: Positive = 0.25,
    radius: list[NonNegative] = (0.0, 0.25, 0.5),  # type: ignore[assignment]
    selection: Count = 100,
    samples: Count = 1000,
    alpha: Share = 0.001,
    on: SplitName = "test",
) -> dict[str, Tensor | np.ndarray]:
    """Euclidean radius within which the vote of the network over Gaussian noise cannot change.

    `g(x) = argmax_c P(f(x + e) = c)`, e ~ N(0, sigma^2 I). As in Cohen, Rosenfeld and Kolter (2019, Certify):
    `selection` draws choose the class, `samples` fresh ones give the lower confidence limit p of its probability
    (Clopper-Pearson, one-sided, level `1 - alpha`); g is constant within `sigma Phi^-1(p)` of x, and abstains where
    p <= 1/2. With probability `alpha` or less a radius given is wrong.

    `certified_radius` is 0 where g abstains or is wrong; `accuracy` at a radius r is the share of examples for which g
    is right and its radius is at least r. The largest radius that can be certified at all is `sigma
    Phi^-1(alpha^(1 / samples))`: 0.62 for the defaults. The network is the one given: one that was not trained on
    noise does badly. Evaluation mode.

    Args:
        sigma: standard deviation of the noise, in units of the inputs.
        radius: radii at which the accuracy is told.
        selection: draws to choose the class.
        samples: draws to bound its probability.
        alpha: chance of a wrong certificate, for each example.
        on: the split.
    """
    radii, abstained = [], []
    for block, (inputs, targets) in enumerate(runs.chunks(on)):
        classes = runs.network.outputs
        chosen = _votes(runs, inputs, sigma, selection, classes, (block, 0)).argmax(2)
        counts = _votes(runs, inputs, sigma, samples, classes, (block, 1))
        agreeing = np.take_along_axis(counts, chosen[:, :, None], 2)[:, :, 0]
        lowest = np.where(agreeing > 0, beta.ppf(alpha, agreeing, samples - agreeing + 1), 0.0)
        sure = lowest > 0.5
        right = sure & (chosen == targets.cpu().numpy())
        radii.append(np.where(right, sigma * norm.ppf(np.where(right, lowest, 0.5)), -1.0))
        abstained.append(~sure)
    found = np.concatenate(radii, 1)
    return {
        "accuracy": np.stack([(found >= size).mean(1) for size in radius], 1),
        "certified_radius": np.maximum(found, 0.0),
        "mean_radius": np.maximum(found, 0.0).mean(1),
        "abstained": np.concatenate(abstained, 1).mean(1),
        "radius": np.array(radius, dtype=float),
    }


@torch.no_grad()
def _votes(
    runs: Runs, inputs: Tensor, sigma: float, draws: int, classes: int, place: tuple[int, int]
) -> np.ndarray:
    """How often each class is predicted under noise, `(members, examples, classes)`."""
    streams = [generator("smoothing", seed, *place) for seed in runs.seeds]
    votes = np.zeros((*inputs.shape[:2], classes), dtype=np.int64)
    rows = np.arange(inputs.shape[1])
    for start in range(0, draws, at_once := max(1, BLOCK // inputs.shape[1])):
        count = min(at_once, draws - start)
        shape = (count, *inputs.shape[1:])
        noise = np.stack([stream.standard_normal(shape, dtype=np.float32) for stream in streams])
        noisy = inputs[:, None] + sigma * torch.from_numpy(noise).to(inputs)
        labels = runs.outputs(noisy.flatten(1, 2)).argmax(1).reshape(len(inputs), count, -1).cpu().numpy()
        for member, own in enumerate(labels):
            for draw in own:
                votes[member, rows, draw] += 1
    return votes
