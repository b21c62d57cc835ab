"""Gradients of single examples by autograd, one after the other."""

from __future__ import annotations

import torch
from torch import Tensor

from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.measures.vectors import flat
from gendsl_runtime.network import Network
from gendsl_runtime.runs import Runs


def gradients(runs: Runs, member: int, *, on: str = "train") -> Tensor:
    """`(examples, parameters)`, float64."""
    one = runs.select([member])
    leaves = {name: tensor.detach().requires_grad_() for name, tensor in one.state.parameters.items()}
    inputs, targets = one.split(on)
    rows = []
    for place in range(inputs.shape[1]):
        value = one.losses(inputs[:, place : place + 1], targets[:, place : place + 1], leaves).sum()
        found = torch.autograd.grad(value, list(leaves.values()), allow_unused=True, materialize_grads=True)
        rows.append(flat(dict(zip(leaves, found, strict=True)))[0])
    return torch.stack(rows).double()


def images(network: Network, examples: int = 12) -> Runs:
    """Two members in float64 on small images."""
    chance = torch.Generator().manual_seed(0)
    split = Split(
        torch.randn(examples, 1, 8, 8, generator=chance), torch.randint(0, 3, (examples,), generator=chance)
    )
    data = Dataset({"train": split, "test": split}, "classification", (1, 8, 8), 3)

    def loss(outputs: Tensor, targets: Tensor) -> Tensor:
        return torch.nn.functional.cross_entropy(outputs, targets, reduction="none")

    return Runs(network, network.init((0, 1)).to("cpu", torch.float64), (data,) * 2, (0, 1), loss)
