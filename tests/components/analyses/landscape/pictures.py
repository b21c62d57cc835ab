"""Small stacks of networks on random images."""

from __future__ import annotations

import torch

from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.network import Network
from gendsl_runtime.runs import Runs


def log_loss(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.cross_entropy(outputs, targets, reduction="none")


def images(network: Network, *, train: int = 30, seeds: tuple[int, ...] = (0, 1)) -> Runs:
    """Untrained networks that share their data."""
    chance = torch.Generator().manual_seed(0)
    splits = {
        name: Split(
            torch.randn(size, *network.shape, generator=chance),
            torch.randint(0, 3, (size,), generator=chance),
        )
        for name, size in {"train": train, "test": 10}.items()
    }
    data = Dataset(splits, "classification", network.shape, 3)
    return Runs(network, network.init(seeds), (data,) * len(seeds), seeds, log_loss)
