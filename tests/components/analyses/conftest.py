"""Small stacks of networks for the tests of analyses."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.models.mlp import mlp
from gendsl_runtime.network import Network
from gendsl_runtime.runs import Runs

MakeRuns = Callable[..., Runs]


def log_loss(outputs: Tensor, targets: Tensor) -> Tensor:
    return torch.nn.functional.cross_entropy(outputs, targets, reduction="none")


def sample(seed: int, *, features: int, classes: int, sizes: dict[str, int], dtype: torch.dtype) -> Dataset:
    stream = np.random.default_rng(seed)
    splits = {}
    for name, size in sizes.items():
        inputs = stream.standard_normal((size, features))
        targets = (inputs[:, 0] * 1.5 + stream.standard_normal(size)).round().astype(int) % classes
        splits[name] = Split(torch.from_numpy(inputs).to(dtype), torch.from_numpy(targets))
    return Dataset(splits, "classification", (features,), classes)


@pytest.fixture
def make_runs() -> MakeRuns:
    """Untrained networks on random data, `(seeds)` members; the data differ between members unless shared."""

    def make(
        seeds: tuple[int, ...] = (0, 1, 2),
        *,
        features: int = 3,
        classes: int = 3,
        train: int = 30,
        test: int = 20,
        dtype: torch.dtype = torch.float32,
        is_shared: bool = False,
        network: Network | None = None,
        **model: object,
    ) -> Runs:
        made = network or mlp((features,), classes, **{"hidden": [5], "activation": "tanh", **model})
        sizes = {"train": train, "test": test}
        shared = sample(0, features=features, classes=classes, sizes=sizes, dtype=dtype)
        data = tuple(
            shared
            if is_shared
            else sample(seed, features=features, classes=classes, sizes=sizes, dtype=dtype)
            for seed in seeds
        )
        return Runs(made, made.init(seeds).to("cpu", dtype), data, seeds, log_loss)

    return make
