"""Data whose targets are their inputs."""

from __future__ import annotations

import torch

from gendsl_runtime.datasets.reconstruction import reconstruction
from gendsl_runtime.datasets.sklearn_digits import sklearn_digits
from gendsl_runtime.datasets.two_moons import two_moons


def test_every_split_is_its_own_target() -> None:
    digits = sklearn_digits()
    data = reconstruction(digits).checked("reconstruction")
    assert (data.task, data.shape, data.outputs) == ("regression", (1, 8, 8), 64)
    for name, split in digits.splits.items():
        assert torch.equal(data.split(name).inputs, split.inputs)
        assert torch.equal(data.split(name).targets, split.inputs.reshape(len(split), 64))


def test_vectors_too() -> None:
    assert reconstruction(two_moons()).outputs == 2
