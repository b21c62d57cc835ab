"""Small networks, and their curvature by torch.func alone, for the tests of Laplace's approximation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor
from torch.func import jacrev

from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.losses.mse import mse
from gendsl_runtime.measures.gauss_newton import blocks
from gendsl_runtime.models.cnn import cnn
from gendsl_runtime.models.mlp import mlp
from gendsl_runtime.network import State
from gendsl_runtime.runs import Runs

MakeRuns = Callable[..., Runs]
STRUCTURES = ("full", "kronecker", "diagonal", "last_layer")


def regression(network: object, *, examples: int = 25, seed: int = 0, outputs: int = 1) -> Runs:
    stream = torch.Generator().manual_seed(seed)
    x = torch.randn(examples + 10, *network.shape, generator=stream, dtype=torch.float64)
    y = x.flatten(1)[:, :1].sin() + 0.1 * torch.randn(len(x), outputs, generator=stream, dtype=torch.float64)
    splits = {"train": Split(x[:examples], y[:examples]), "test": Split(x[examples:], y[examples:])}
    data = Dataset(splits, "regression", network.shape, outputs)
    return Runs(network, network.init([seed]).to("cpu", torch.float64), (data,), (seed,), mse)


def images(network: object, classes: int = 3) -> Runs:
    stream = torch.Generator().manual_seed(1)
    x = torch.randn(9, *network.shape, generator=stream, dtype=torch.float64)
    y = torch.randint(0, classes, (9,), generator=stream)
    data = Dataset(
        {"train": Split(x, y), "test": Split(x[:4], y[:4])}, "classification", network.shape, classes
    )
    loss = make_loss()
    return Runs(network, network.init([2]).to("cpu", torch.float64), (data,), (2,), loss)


def make_loss() -> object:
    return lambda outputs, targets: torch.nn.functional.cross_entropy(outputs, targets, reduction="none")


def dense(runs: Runs, split: str = "train") -> tuple[Tensor, Tensor, Tensor]:
    """Jacobian `(N, C, P)`, A `(N, C, C)` and H `(P, P)` by torch.func alone."""
    inputs = runs.split(split)[0]

    def outputs(parameters: dict[str, Tensor]) -> Tensor:
        return runs.network.apply(parameters, runs.state.buffers, inputs, training=False)[0][0].T

    found = jacrev(outputs)(runs.state.parameters)
    jacobian = torch.cat([value[:, :, 0].flatten(2) for value in found.values()], dim=2)
    p = torch.softmax(outputs(runs.state.parameters), 1)
    classes = torch.diag_embed(p) - p[:, :, None] * p[:, None, :]
    weight = (
        classes
        if runs.data[0].task == "classification"
        else torch.eye(p.shape[1]).double().expand_as(classes)
    )
    return jacobian, weight, torch.einsum("ncp,ncd,ndq->pq", jacobian, weight, jacobian)


def matrix(runs: Runs, structure: str) -> Tensor:
    """The blocks written out, in the order of the parameters."""
    shapes = {name: value[0].numel() for name, value in runs.state.parameters.items()}
    starts = dict(zip(shapes, np.cumsum([0, *shapes.values()]), strict=False))
    whole = torch.zeros(sum(shapes.values()), sum(shapes.values()), dtype=torch.float64)
    for block in blocks(runs, on="train", structure=structure)[0]:
        size = sum(shapes[name] for name in block.shapes)
        turned = block.turned(torch.eye(size, dtype=torch.float64))
        places = torch.cat([torch.arange(starts[name], starts[name] + shapes[name]) for name in block.shapes])
        whole[places[:, None], places] = (turned * block.values) @ turned.T
    return whole


NETWORKS = {
    "mlp": lambda: images(mlp((4,), 3, hidden=[6, 5], activation="tanh")),
    "ntk": lambda: images(mlp((4,), 3, hidden=[6], activation="erf", parametrisation="ntk")),
    "norm": lambda: images(mlp((4,), 3, hidden=[6], activation="tanh", norm="layer")),
    "cnn": lambda: images(cnn((1, 6, 6), 3, channels=[3], hidden=[4], activation="tanh", pool="average")),
    "regression": lambda: regression(mlp((3,), 2, hidden=[5], activation="tanh"), outputs=2),
}


def ridge(runs: Runs, *, precision: float, noise: float) -> tuple[Runs, Tensor, Tensor]:
    """The posterior mean of a linear regression put in place, and its design and targets."""
    x, y = (value[0] for value in runs.split("train"))
    design = torch.cat([x, torch.ones(len(x), 1)], 1).double()
    inner = design.T @ design / noise**2 + precision * torch.eye(design.shape[1]).double()
    w = torch.linalg.solve(inner, design.T @ y / noise**2)
    state = State({"output.weight": w[:-1].T[None], "output.bias": w[-1:].T[0][None]}, {})
    return replace(runs, state=state), design, y
