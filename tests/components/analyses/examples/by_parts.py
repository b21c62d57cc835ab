"""Runs trained on parts of one data set, whose answers are whatever a test says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.datasets.subset import subset
from gendsl_runtime.models.linear import linear
from gendsl_runtime.network import State
from gendsl_runtime.runs import Runs
from gendsl_runtime.train.build import StackedLoss


def one_hot(labels: np.ndarray, test: np.ndarray, outputs: int) -> Dataset:
    """Examples that a linear network can answer one by one: example i is the i-th unit vector."""
    count = len(labels) + len(test)
    inputs = torch.eye(count)
    splits = {
        "train": Split(inputs[: len(labels)], torch.from_numpy(labels)),
        "test": Split(inputs[len(labels) :], torch.from_numpy(test)),
    }
    return Dataset(splits, "classification", (count,), outputs)


def answering(data: Sequence[Dataset], logits: np.ndarray) -> Runs:
    """Runs whose outputs for example i of all are `logits[run, :, i]`."""
    network = linear(data[0].shape, data[0].outputs, bias=False)
    members = tuple(range(len(data)))
    state = network.init(members)
    state = replace(state, parameters={"output.weight": torch.from_numpy(logits).float()})
    assert isinstance(state, State)
    return Runs(network, state, tuple(data), members, StackedLoss(_none, {}, {}))


def _none(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return outputs[:, 0] * 0


def random_parts(runs: int, *, examples: int, test: int, outputs: int, share: float = 0.7) -> Runs:
    """Runs on random parts with random answers."""
    chance = np.random.default_rng(0)
    data = one_hot(chance.integers(0, outputs, examples), chance.integers(0, outputs, test), outputs)
    drawn = [subset(data, share=share, seed=seed) for seed in range(runs)]
    return answering(drawn, chance.standard_normal((runs, outputs, examples + test)))
