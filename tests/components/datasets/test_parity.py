"""Parity of bits."""

from __future__ import annotations

import pytest
import torch

from gendsl_runtime.datasets.parity import parity
from gendsl_runtime.problem import Problem


@pytest.mark.parametrize("length", [1, 5, 40])
def test_the_class_is_the_parity(length) -> None:
    data = parity(length=length, train=1, test=1, held_back=0).checked("parity")
    assert (data.vocabulary, data.shape, data.outputs) == (2, (length,), 2)
    for split in parity(length=max(length, 11), train=400).splits.values():
        assert split.targets.tolist() == [sum(bits) % 2 for bits in split.inputs.tolist()]
        # The share of ones among n bits has the standard deviation 1 / (2 sqrt(n)).
        assert abs(float(split.inputs.double().mean()) - 0.5) < 5 * 0.5 / split.inputs.numel() ** 0.5


def test_splits_share_no_sequence_and_can_be_all_there_are() -> None:
    splits = parity(length=6, train=30, held_back=10, test=24).splits
    rows = [tuple(bits) for split in splits.values() for bits in split.inputs.tolist()]
    assert len(set(rows)) == len(rows) == 64
    with pytest.raises(Problem, match="64 examples"):
        parity(length=6, train=41, test=24)


@pytest.mark.parametrize("length", [12, 30])
def test_a_larger_training_set_holds_the_smaller_one(length) -> None:
    small, large = (parity(length=length, train=train) for train in (50, 200))
    assert torch.equal(large.splits["train"].inputs[:50], small.splits["train"].inputs)
    assert torch.equal(large.splits["test"].inputs, small.splits["test"].inputs)
