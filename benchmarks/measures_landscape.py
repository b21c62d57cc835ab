"""CPU seconds of loss surfaces and barriers, beside loops over points, one thread.

    python benchmarks/measures_landscape.py

A 51 x 51 surface of an MLP on 1,000 digits: the analysis; the same network as a `torch.nn` module whose weights are
set point by point, evaluated on all examples at once; and the engine itself asked for one point after the other. The
three losses are compared. Then a stack of 32 seeds beside single ones, on a small network, for every measure of the
family, as a multiple of what one seed takes: those
that evaluate many points are stacks already with one seed, and gain nothing from more.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from statistics import median
from time import process_time

import numpy as np
import torch
from torch import Tensor, nn

from gendsl_runtime.analyses.complexity.distance import distance
from gendsl_runtime.analyses.landscape.barrier import barrier
from gendsl_runtime.analyses.landscape.interpolation import interpolation
from gendsl_runtime.analyses.landscape.loss_surface import loss_surface
from gendsl_runtime.datasets.sklearn_digits import sklearn_digits
from gendsl_runtime.losses.cross_entropy import cross_entropy
from gendsl_runtime.measures.planes import direction
from gendsl_runtime.models.mlp import mlp
from gendsl_runtime.network import State
from gendsl_runtime.random import generator
from gendsl_runtime.runs import Runs

SIDE = 51
REPEATS = 5


def log_loss(outputs: Tensor, targets: Tensor) -> Tensor:
    return cross_entropy(outputs, targets, label_smoothing=None)  # type: ignore[arg-type]


def stack(hidden: list[int], members: int = 1) -> Runs:
    data = sklearn_digits(train=1000, test=500)
    network = mlp(data.shape, data.outputs, hidden=hidden)
    return Runs(network, network.init(range(members)), (data,) * members, tuple(range(members)), log_loss)


def seconds(measured: Callable[[], object]) -> float:
    """The median of some repeats, after one that warms up."""
    measured()
    found = []
    for _ in range(REPEATS):
        start = process_time()
        measured()
        found.append(process_time() - start)
    return median(found)


def directions(runs: Runs) -> list[dict[str, Tensor]]:
    stream = generator("loss_surface", runs.seeds[0])
    own = runs.state.parameters
    return [direction(own, stream, normalised="filter", biases="ignored") for _ in range(2)]


@torch.no_grad()
def by_module(runs: Runs, positions: np.ndarray) -> np.ndarray:
    """Losses `(x, y)` of a module whose weights are set at each point."""
    own = runs.state.parameters
    weights = [value for name, value in own.items() if name.endswith("weight")]
    pairs = [(weight.shape[2], weight.shape[1]) for weight in weights]
    layers = [layer for pair in pairs for layer in (nn.Linear(*pair), nn.ReLU())][:-1]
    module = nn.Sequential(*layers)
    names = [
        f"{name.removesuffix('.weight')}.{part}"
        for name in own
        if name.endswith("weight")
        for part in ("weight", "bias")
    ]
    terms = [
        (own[name][0], [found[name][0] for found in directions(runs) if name in found]) for name in names
    ]
    inputs, targets = (one[0] for one in runs.split("train"))
    inputs, losses = inputs.flatten(1), np.empty((len(positions), len(positions)))
    for i, x in enumerate(positions):
        for j, y in enumerate(positions):
            for value, (w, moves) in zip(module.parameters(), terms, strict=True):
                value.copy_(sum((float(a) * d for a, d in zip((x, y), moves, strict=False)), start=w))
            outputs = module(inputs)
            losses[i, j] = nn.functional.cross_entropy(outputs, targets).item()
            (outputs.argmax(1) != targets).double().mean().item()
    return losses


def by_points(runs: Runs, positions: np.ndarray) -> np.ndarray:
    """Losses `(x, y)` by the engine, one network at a time."""
    first, second = directions(runs)
    losses = np.empty((len(positions), len(positions)))
    for i, x in enumerate(positions):
        for j, y in enumerate(positions):
            moved = {
                name: value + float(x) * first[name] + float(y) * second[name] if name in first else value
                for name, value in runs.state.parameters.items()
            }
            at = replace(runs, state=State(moved, runs.state.buffers))
            losses[i, j] = float(at.mean_loss("train"))
            float(at.error("train"))
    return losses


def surfaces() -> None:
    print(f"{SIDE} x {SIDE} points, 1,000 digits; seconds")
    print(
        f"{'network':<16}{'surface':>9}{'module':>9}{'ratio':>7}{'engine':>9}{'ratio':>7}{'largest difference':>20}"
    )
    positions = np.linspace(-1, 1, SIDE)
    for hidden in ([32], [64], [64, 64]):
        runs = stack(hidden)
        found = loss_surface(runs, points=SIDE)["loss"][0]
        others = [one(runs, positions) for one in (by_module, by_points)]
        apart = max(np.abs(other / found - 1).max() for other in others)
        own = seconds(partial(loss_surface, runs, points=SIDE))
        module, engine = (seconds(partial(one, runs, positions)) for one in (by_module, by_points))
        name = "-".join(map(str, [64, *hidden, 10]))
        print(
            f"{name:<16}{own:>9.3f}{module:>9.3f}{module / own:>7.1f}{engine:>9.3f}{engine / own:>7.1f}{apart:>20.1e}"
        )


def stacks() -> None:
    print("\n32 seeds of an MLP 64-16-10, as so many single ones")
    many, one = stack([16], 32), stack([16], 1)
    others = [replace(runs, state=runs.network.init([s + 50 for s in runs.seeds])) for runs in (many, one)]
    measures: dict[str, Callable[[Runs, Runs], object]] = {
        "interpolation": lambda runs, other: interpolation(runs, other=other),
        "barrier": lambda runs, other: barrier(runs, other=other),
        "barrier, aligned": lambda runs, other: barrier(runs, other=other, align="weights"),
        "loss_surface": lambda runs, other: loss_surface(runs, points=11),
        "distance": lambda runs, other: distance(runs, other=other),
    }
    for name, measure in measures.items():
        whole, single = (seconds(partial(measure, *pair)) for pair in zip((many, one), others, strict=True))
        print(f"{name:<20}{1e3 * single:>9.2f} ms{1e3 * whole:>9.2f} ms{whole / single:>7.1f}")


if __name__ == "__main__":
    surfaces()
    stacks()
