"""Prefix sums of bits."""

from __future__ import annotations

import numpy as np
import pytest

from gendsl_runtime.data import NO_LABEL, Dataset
from gendsl_runtime.datasets.prefix_sums import prefix_sums
from gendsl_runtime.problem import Problem


def test_labels_are_the_parity_so_far() -> None:
    data = prefix_sums(lengths=[3, 7], train=500, test=40).checked("prefix_sums")
    assert (data.task, data.shape, data.outputs, data.places) == ("labelling", (7, 1), 2, 7)
    for split in data.splits.values():
        for row, labels in zip(split.inputs[:, :, 0].numpy(), split.targets.numpy(), strict=True):
            count = int((row != 0).sum())
            assert count in (3, 7)
            assert (row[count:] == 0).all()
            assert (labels[count:] == NO_LABEL).all()
            assert labels[:count].tolist() == [int((row[: i + 1] > 0).sum()) % 2 for i in range(count)]


def test_lengths_and_bits_are_equally_likely() -> None:
    inputs = prefix_sums(lengths=[2, 4, 8], train=3000).splits["train"].inputs[:, :, 0]
    counts = (inputs != 0).sum(1)
    for length in (2, 4, 8):
        assert abs(float((counts == length).double().mean()) - 1 / 3) < 4 * np.sqrt(2 / 9 / 3000)
    bits = inputs[inputs != 0]
    assert set(bits.tolist()) == {-0.5, 0.5}
    assert abs(float(bits.mean())) < 4 * 0.5 / np.sqrt(len(bits))


def test_seeds_and_stored_bytes() -> None:
    data = prefix_sums(train=20, test=5, held_back=3)
    assert Dataset.unpack(data.pack()).pack() == data.pack()
    assert prefix_sums(train=20, test=5, held_back=3).pack() == data.pack()
    assert prefix_sums(train=20, test=5, held_back=3, seed=1).pack() != data.pack()


def test_strings_have_lengths() -> None:
    with pytest.raises(Problem, match="no length"):
        prefix_sums(lengths=[])
