"""CPU seconds of the analyses that cost something, one thread.

    python benchmarks/analyses.py

Basin volumes: 500 rays for each of 20 MLPs 2-64-64-2 on 400 points of two spirals. Hessian: five eigenvalues
of one MLP 64-256-256-64-10 with tanh (99,530 parameters) on 2,000 examples, beside the bare cost of as many
products on a graph that is kept. Stacks: what a member costs in a stack of 32 beside alone, 32 MLPs 64-64-10 on
1,437 examples.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"

from collections.abc import Callable
from dataclasses import replace
from statistics import median
from time import process_time

import numpy as np
import torch

from gendsl_runtime.analyses.complexity.margins import margins
from gendsl_runtime.analyses.curvature.hessian_top import hessian_top
from gendsl_runtime.analyses.prediction.accuracy import accuracy
from gendsl_runtime.analyses.prediction.loss import loss
from gendsl_runtime.analyses.sharpness.basin_volume import basin_volume
from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.losses.cross_entropy import cross_entropy
from gendsl_runtime.measures.hessian import hessian_product
from gendsl_runtime.models.mlp import mlp
from gendsl_runtime.network import State
from gendsl_runtime.runs import Runs


def log_loss(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return cross_entropy(outputs, targets, label_smoothing=torch.zeros(len(outputs)))


def spirals(stream: np.random.Generator, size: int) -> Split:
    angle, side = np.sqrt(stream.random(size)) * 3 * np.pi, np.sign(stream.random(size) - 0.5)
    arm = np.stack([side * angle * np.cos(angle), side * angle * np.sin(angle)], axis=1) / 6
    inputs = arm + stream.standard_normal((size, 2)) * 0.05
    return Split(torch.from_numpy(inputs).float(), torch.from_numpy((side > 0).astype(int)))


def trained(runs: Runs, steps: int, lr: float) -> Runs:
    values = {name: tensor.clone().requires_grad_() for name, tensor in runs.state.parameters.items()}
    optimizer = torch.optim.Adam(values.values(), lr=lr)
    inputs, targets = runs.split("train")
    for _ in range(steps):
        optimizer.zero_grad()
        runs.losses(inputs, targets, values).mean(1).sum().backward()
        optimizer.step()
    return replace(runs, state=State({name: tensor.detach() for name, tensor in values.items()}, {}))


def stack(members: int, data: Dataset, hidden: list[int], activation: str) -> Runs:
    network = mlp(data.shape, data.outputs, hidden=hidden, activation=activation)
    return Runs(network, network.init(range(members)), (data,) * members, tuple(range(members)), log_loss)


def seconds(work: Callable[[], object]) -> tuple[float, object]:
    start = process_time()
    result = work()
    return process_time() - start, result


def volumes() -> None:
    data = Dataset({"train": spirals(np.random.default_rng(0), 400)}, "classification", (2,), 2)
    runs = trained(stack(20, data, [64, 64], "relu"), steps=400, lr=5e-3)
    for kind in ("filter", "plain"):
        spent, given = seconds(lambda kind=kind: basin_volume(runs, rays=500, cutoff=0.1, directions=kind))
        rate = spent / 20 / 500 * 1e3
        print(f"basin_volume {kind}: {spent:.1f} s for 20 members x 500 rays ({rate:.2f} ms a ray)")
        print(f"    effective rays, median {np.median(given['effective_rays']):.2f}")


def hessian() -> None:
    stream = np.random.default_rng(0)
    inputs = torch.from_numpy(stream.standard_normal((2000, 64))).float()
    targets = (inputs @ torch.from_numpy(stream.standard_normal((64, 10))).float()).argmax(1)
    data = Dataset({"train": Split(inputs, targets)}, "classification", (64,), 10)
    runs = trained(stack(1, data, [256, 256, 64], "tanh"), steps=100, lr=1e-3)
    for repeated in (False, True):
        spent, given = seconds(lambda repeated=repeated: hessian_top(runs, count=5, repeated=repeated))
        made = int(given["products"][0])
        print(f"hessian_top, 5 eigenvalues, repeated={repeated}: {spent:.2f} s, {made} products")
    product = hessian_product(runs, on="train")
    vector = torch.from_numpy(stream.standard_normal((1, 99530)))
    spent, _ = seconds(lambda: [product(vector) for _ in range(13)])
    print(f"13 bare products on a kept graph: {spent:.2f} s")


def stacks() -> None:
    stream = np.random.default_rng(0)
    inputs = torch.from_numpy(stream.standard_normal((1437, 64))).float()
    targets = (inputs @ torch.from_numpy(stream.standard_normal((64, 10))).float()).argmax(1)
    data = Dataset({"train": Split(inputs, targets)}, "classification", (64,), 10)
    runs = trained(stack(32, data, [64], "relu"), steps=100, lr=1e-2)
    analyses: dict[str, Callable[[Runs], object]] = {
        "accuracy": lambda part: accuracy(part, on="train"),
        "loss": lambda part: loss(part, on="train"),
        "margins": lambda part: margins(part, on="train"),
        "hessian_top": hessian_top,
        "basin_volume": lambda part: basin_volume(part, rays=50, cutoff=1.0),
    }
    for name, analysis in analyses.items():
        alone = median(seconds(lambda: [analysis(runs.select([m])) for m in range(32)])[0] for _ in range(3))  # noqa: B023
        together = median(seconds(lambda: analysis(runs))[0] for _ in range(3))  # noqa: B023
        print(
            f"{name}: {together / 32 * 1e3:.2f} ms a member in a stack of 32, {alone / 32 * 1e3:.2f} ms alone, "
            f"{alone / together:.2f} times as long"
        )


if __name__ == "__main__":
    volumes()
    hessian()
    stacks()
