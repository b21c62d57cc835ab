"""Spectrum of the function along lines."""

from __future__ import annotations

import numpy as np
import torch

from gendsl_runtime.component import Count, SplitName, analysis
from gendsl_runtime.problem import Problem
from gendsl_runtime.random import generator
from gendsl_runtime.runs import CACHE, Runs


@analysis(
    version=1,
    needs="numbers",
    gives={
        "mean_frequency": "1",
        "mean_frequency_error": "1",
        "power": "1 [frequency]",
        "total": "1",
    },
    shares=["power"],
    axes={"frequency": "oscillations along the line and back"},
    paper=["rahaman2019spectral"],
)
def line_spectrum(
    runs: Runs, *, on: SplitName = "test", lines: Count = 50, points: Count = 128
) -> dict[str, np.ndarray]:
    """How fast the function oscillates along lines between examples: its Fourier complexity.

    The outputs are taken at `points` equal steps on segments between random pairs of examples, `t_j = (j +
    1/2) / points`, and expanded in cosines, `f(t) = sum_k a_k cos(pi k t)`, which needs no window, for the
    mirrored function has no jump at the ends. `power_k` is the share of `sum over lines and outputs of
    a_k^2`, k from 1 (the constant part is left out), and `mean_frequency = sum_k k power_k` the complexity:
    Rahaman et al. (2019) look at such spectra along paths between examples (section 4). k counts oscillations
    on the way there and back. A line that is straight has 0.986 of its power at k = 1 and none at even k.
    `total` is the variance along lines, summed over outputs, mean over lines.

    A function that is constant on all lines has no power: NaN for `power`, and a mean frequency of 0. The
    part above `points / 2` oscillations folds back: raise `points` until nothing changes. Pairs are drawn
    from the run's seed. `mean_frequency_error` is the standard error over lines, by the delta method for a
    quotient of sums. Unchanged when outputs are multiplied, shifted, or rotated. Evaluation mode; float32
    outputs, transform in float64.

    Args:
        on: the split whose examples are joined, at least two.
        lines: number of segments.
        points: on each, at least 2.
    """
    if runs.split(on)[0].shape[1] < 2:
        raise Problem("bad-data", f"no lines between the examples of `{on}`: there is only one")
    if points < 2:
        raise Problem("out-of-range", "a line of one point has no spectrum", help="points=128")
    numbers = lines * points * runs.split(on)[0][0, 0].numel()
    step = max(1, int(CACHE // (4 * numbers)))
    stacks = [
        runs.select(range(first, min(first + step, runs.members))) for first in range(0, runs.members, step)
    ]
    found = [_figures(values) for stack in stacks for values in _along(stack, on, lines, points)]
    result = {name: np.array([figures[name] for figures in found]) for name in found[0]}
    return {**result, "frequency": np.arange(1, points)}


def _along(runs: Runs, on: str, lines: int, points: int) -> np.ndarray:
    """Outputs `(members, lines, outputs, points)`, float64."""
    inputs = runs.split(on)[0]
    places = (torch.arange(points, dtype=torch.float64) + 0.5) / points
    share = places.to(inputs).view(1, points, *[1] * (inputs.ndim - 2))
    paths = []
    for own, seed in zip(inputs, runs.seeds, strict=True):
        chance = generator("line_spectrum", seed)
        pairs = np.stack([chance.choice(len(own), size=2, replace=False) for _ in range(lines)])
        start, end = (own[torch.from_numpy(side)].unsqueeze(1) for side in pairs.T)
        paths.append(torch.lerp(start, end, share).flatten(0, 1))
    with torch.no_grad():
        outputs = runs.outputs(torch.stack(paths))
    values: np.ndarray = outputs.double().cpu().numpy().reshape(runs.members, -1, lines, points)
    return values.transpose(0, 2, 1, 3)


def _figures(values: np.ndarray) -> dict[str, np.ndarray]:
    powers = np.square(cosines(values)).sum(1)[:, 1:]
    frequency = np.arange(1, values.shape[2])
    own, moments = powers.sum(1), powers @ frequency
    total = own.sum()
    # What rounding of float32 outputs leaves of a constant function is no oscillation.
    floor = np.square(np.finfo(np.float32).eps * np.abs(values).max()) * values[:, :, 0].size
    if total <= floor:
        power = np.full(len(frequency), np.nan)
        return dict(zip(NAMES, (np.array(0.0), np.array(0.0), power, np.array(0.0)), strict=True))
    mean = moments.sum() / total
    error = np.sqrt(np.square(moments - mean * own).sum() * len(own) / max(1, len(own) - 1)) / total
    return dict(zip(NAMES, (mean, error, powers.sum(0) / total, total / len(own)), strict=True))


NAMES = ("mean_frequency", "mean_frequency_error", "power", "total")


def cosines(values: np.ndarray) -> np.ndarray:
    """Coefficients of the orthonormal cosine transform along the last axis, over the root of its length: the squares
    add up to the mean square."""
    count = values.shape[-1]
    waves = np.cos(np.pi * np.outer(np.arange(count), np.arange(count) + 0.5) / count) * np.sqrt(2)
    waves[0] /= np.sqrt(2)
    coefficients: np.ndarray = values @ waves.T / count
    return coefficients
