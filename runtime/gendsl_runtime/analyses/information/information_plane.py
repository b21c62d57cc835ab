"""The information plane."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from gendsl_runtime.component import Count, Positive, SplitName, analysis
from gendsl_runtime.measures import information
from gendsl_runtime.measures.layers import hidden
from gendsl_runtime.problem import Problem
from gendsl_runtime.random import generator
from gendsl_runtime.runs import Runs


class Settings(NamedTuple):
    """How finely a layer is looked at."""

    estimator: str
    bins: int
    noise: float
    neighbours: int


@analysis(
    version=1,
    needs=["classification", "numbers"],
    gives={
        "inputs": "nats [layer]",
        "labels": "nats [layer]",
        "inputs_lower": "nats [layer]",
        "resolution": "1 [layer]",
        "highest_inputs": "nats",
        "highest_labels": "nats",
        "used": "1",
    },
    axes={"layer": "hidden layer or outputs, by name"},
    paper=[
        "shwartz2017opening",
        "saxe2018information",
        "kolchinsky2017estimating",
        "kraskov2004estimating",
        "ross2014mutual",
    ],
)
def information_plane(
    runs: Runs,
    *,
    on: SplitName = "train",
    estimator: Literal["binning", "kde", "ksg"] = "binning",
    bins: Count = 30,
    noise: Positive = 0.1,
    neighbours: Count = 3,
    examples: Count = 1000,
) -> dict[str, np.ndarray]:
    """How much each layer tells of the input, and of its label.

    `inputs = I(X; T)` and `labels = I(T; Y)` for the representation T of each layer, in nats (Shwartz-Ziv and
    Tishby 2017). A network is deterministic and its inputs differ, so for continuous T the true I(X; T) is
    infinite, or the entropy of the sample: what is estimated depends on how finely T is looked at, and what
    it means is disputed (Saxe et al. 2018). Compare runs at one setting only; `resolution` says how finely
    each layer was looked at.

    `binning`: activations in equal bins from the layer's least to its largest; `inputs = H(T)`, `labels =
    H(T) - H(T|Y)` of the cells, plug-in estimates, exact for the cells; `resolution` is the width of a bin.
    `kde`: Gaussian noise of variance `noise` is thought added to T; `inputs` is the upper bound of Kolchinsky
    and Tracey (2017) and `inputs_lower` the lower one, for inputs that are the sample; `labels` is the
    difference of the upper bounds of H(T) and of H(T|Y), which is an estimate and no bound; `resolution` is
    the noise's standard deviation. `ksg`: nearest neighbours in maximum norm, between the continuous inputs
    and T (Kraskov et al. 2004, algorithm 1) and between T and the classes (Ross 2014). For deterministic
    layers of many units it is far below the infinite truth; it may come out below zero by chance, and `labels` is NaN
    where no class has two examples (one that is alone in its class is left out). Units that
    are equal for many examples (a ReLU at zero) are set apart by relative noise of 1e-10 as in the paper;
    `resolution` is the median distance to the k-th neighbour in T.

    No estimate exceeds `highest_inputs = log N` or `highest_labels = H(Y)` of the sample but by error; near
    them it says only that the sample is too small. Elsewhere `inputs_lower` equals `inputs`. Evaluation mode.

    Args:
        on: the split.
        estimator: `binning`, `kde` or `ksg`.
        bins: for `binning`, how many.
        noise: for `kde`, variance added to each activation (Saxe et al. 2018 take 0.1).
        neighbours: for `ksg`, k.
        examples: how many of the split are used, the first ones; memory and time grow with the square.

    Returns:
        By layer, `(members, layer)`; `used` is N.
    """
    inputs, targets = (part[:, :examples] for part in runs.split(on))
    count = inputs.shape[1]
    if count < (neighbours + 2 if estimator == "ksg" else 2):
        raise Problem(
            "bad-data",
            f"`information_plane` has {count} examples to estimate from",
            help=f"take more than k + 1 = {neighbours + 1}" if estimator == "ksg" else "take at least two",
        )
    stacks = hidden(runs, inputs)
    settings = Settings(estimator, bins, noise, neighbours)
    rows = []
    for member in range(runs.members):
        x = inputs[member].flatten(1).double().cpu().numpy()
        y = targets[member].cpu().numpy()
        chance = generator("information_plane", runs.seeds[member])
        layers = [stack[member].double().cpu().numpy().T for stack in stacks.values()]
        rows.append([_layer(x, t, y, chance, settings) for t in layers])
    table = np.array(rows).transpose(2, 0, 1)
    classes = [information.entropy(np.bincount(row)) for row in targets.cpu().numpy()]
    return {
        **dict(zip(("inputs", "labels", "inputs_lower"), table[:3], strict=True)),
        "resolution": table[3],
        "highest_inputs": np.full(runs.members, np.log(count)),
        "highest_labels": np.array(classes),
        "used": np.full(runs.members, count),
        "layer": np.array(list(stacks)),
    }


def _layer(
    x: np.ndarray, t: np.ndarray, y: np.ndarray, chance: np.random.Generator, settings: Settings
) -> tuple[float, float, float, float]:
    """Information with inputs and labels in nats, the lower bound of the former, and the resolution."""
    if settings.estimator == "binning":
        cells = information.binned(t, bins=settings.bins)
        own = information.entropy(np.bincount(cells))
        return own, information.discrete(cells, y), own, float(np.ptp(t) / settings.bins)
    if settings.estimator == "kde":
        return (*_kde(t, y, settings.noise), float(np.sqrt(settings.noise)))
    apart, x = (_set_apart(values, chance) for values in (t, x))
    k = settings.neighbours
    own = information.nearest(x, apart, neighbours=k)
    label = information.nearest_classes(apart, y, neighbours=k)
    return own, label, own, information.neighbour_distance(apart, neighbours=k)


def _kde(t: np.ndarray, y: np.ndarray, noise: float) -> tuple[float, float, float]:
    squares = information.squared_distances(t)
    upper, lower = (information.mixture_bound(squares, factor * noise) for factor in (1, 4))
    given = 0.0
    for kind in np.unique(y):
        own = np.flatnonzero(y == kind)
        given += len(own) / len(y) * information.mixture_bound(squares[np.ix_(own, own)], noise)
    return upper, upper - given, lower


def _set_apart(values: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    scale = np.abs(values).max()
    return values + 1e-10 * (scale if scale > 0 else 1.0) * chance.standard_normal(values.shape)
