"""Linear regions along lines."""

from __future__ import annotations

import numpy as np

from gendsl_runtime.component import Count, SplitName, analysis
from gendsl_runtime.measures.dense import Dense, dense_layers
from gendsl_runtime.problem import Problem
from gendsl_runtime.random import generator
from gendsl_runtime.runs import Runs

SLOPES = {"relu": 0.0, "leaky_relu": 0.01, "identity": 1.0}
"""Slopes below zero of the activations that are linear but for a kink at zero."""


@analysis(
    version=1,
    needs="numbers",
    gives={"mean": "1", "mean_error": "1", "regions": "1 [line]", "density": "1 [line]"},
    axes={"line": "segment between two examples, in the order drawn"},
    paper="hanin2019complexity",
)
def linear_regions(runs: Runs, *, on: SplitName = "train", lines: Count = 20) -> dict[str, np.ndarray]:
    """Into how many linear pieces a ReLU network cuts the segments between examples.

    The network is linear between the points of a segment where a unit's input changes its sign; `regions` is
    one more than the number of such points inside it (Hanin and Rolnick 2019, section 2, who count activation
    regions along lines), `density` that number over the length of the segment, `mean` the mean over lines
    with its standard error. Counted exactly, layer by layer, from the zeros of functions that are linear
    between the points found before: float64, no grid. Points closer than 1e-12 of the segment are one. A
    point counts although the pieces beside it may by chance continue each other, as where a unit has no
    weight further on.

    Unchanged when a hidden unit is rescaled. Segments join pairs of different examples, drawn from the run's
    seed. Dropout is off. For chains of dense layers with `relu`, `leaky_relu` or `identity`.

    Args:
        on: the split whose examples are joined.
        lines: number of segments.

    Raises:
        Problem: the network is no chain of dense layers, another activation, or a split of one example.
    """
    networks = dense_layers(runs, measure="linear_regions")
    strange = next((layer.activation for layer in networks[0] if layer.activation not in SLOPES), None)
    if strange is not None:
        raise Problem(
            "out-of-range",
            f"a network with `{strange}` is nowhere linear",
            help="use `linear_regions` on networks with `relu` or `leaky_relu`",
        )
    inputs = runs.split(on)[0].flatten(2).double().cpu().numpy()
    if inputs.shape[1] < 2:
        raise Problem("bad-data", f"no lines between the examples of `{on}`: there is only one")
    found = [
        _counts(network, examples, lines, seed)
        for network, examples, seed in zip(networks, inputs, runs.seeds, strict=True)
    ]
    regions, lengths = (np.stack(values) for values in zip(*found, strict=True))
    spread = regions.std(axis=1, ddof=min(1, lines - 1)) / np.sqrt(lines)
    with np.errstate(divide="ignore", invalid="ignore"):
        density = np.where(regions == 1, 0.0, (regions - 1) / lengths)
    return {"mean": regions.mean(1), "mean_error": spread, "regions": regions, "density": density}


def _counts(
    network: list[Dense], examples: np.ndarray, lines: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Regions and length of each segment, `(lines,)`."""
    chance = generator("linear_regions", seed)
    pairs = [chance.choice(len(examples), size=2, replace=False) for _ in range(lines)]
    regions = np.array([1 + len(kinks(network, examples[a], examples[b])) for a, b in pairs])
    return regions, np.array([np.linalg.norm(examples[a] - examples[b]) for a, b in pairs])


def kinks(network: list[Dense], start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Places in (0, 1), ascending, where a unit's input changes its sign on the way from `start` to `end`.

    Layer by layer the stack at all places known so far is kept; between two of them it is linear.
    """
    places = np.array([0.0, 1.0])
    values = np.stack([start, end], axis=1)
    for layer in network:
        inputs = layer.weight @ values + layer.bias[:, None]
        slope = SLOPES[layer.activation]
        if slope != 1:
            places, inputs = _with_zeros(places, inputs)
        values = np.where(inputs > 0, inputs, slope * inputs)
    return places[1:-1]


def _with_zeros(places: np.ndarray, inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The places and those of new zeros, with the inputs `(units, places)` there."""
    left, right = inputs[:, :-1], inputs[:, 1:]
    units, pieces = np.nonzero(left * right < 0)
    low, high = left[units, pieces], right[units, pieces]
    share = low / (low - high)
    added = places[pieces] + share * (places[pieces + 1] - places[pieces])
    joined, first = np.unique(np.concatenate([places, added]), return_index=True)
    of = np.concatenate([np.arange(len(places)), pieces])[first]
    along = np.concatenate([np.zeros(len(places)), share])[first]
    is_new = first >= len(places)
    last = np.minimum(of + 1, len(places) - 1)
    stack = np.where(is_new, inputs[:, of] * (1 - along) + inputs[:, last] * along, inputs[:, of])
    # The unit whose zero it is: exactly zero there, not a rounding error that counts as one more zero.
    stack[units, np.searchsorted(joined, added)] = 0.0
    gap = np.append(np.inf, np.diff(joined)) > 1e-12
    gap[-1] = True
    return joined[gap], stack[:, gap]
