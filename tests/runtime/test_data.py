"""Datasets as values: packed, unpacked, and refused where they are not what they say."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.problem import Problem

TRAIN = Split(torch.arange(12.0).reshape(4, 3), torch.tensor([0, 1, 2, 1]))
EMPTY = Split(torch.zeros(0, 3), torch.zeros(0, dtype=torch.int64))
CLASSES = Dataset({"train": TRAIN, "test": EMPTY}, task="classification", shape=(3,), outputs=3)
NUMBERS = Dataset(
    {"train": Split(TRAIN.inputs, torch.ones(4, 2))}, task="regression", shape=(3,), outputs=2, fit=("train",)
)


@pytest.mark.parametrize("data", [CLASSES, NUMBERS])
def test_unpacking_gives_the_same_back(data):
    same = Dataset.unpack(data.pack())
    assert list(same.splits) == list(data.splits)
    assert (same.task, same.shape, same.outputs, same.fit) == (data.task, data.shape, data.outputs, data.fit)
    for name, split in data.splits.items():
        assert torch.equal(same.split(name).inputs, split.inputs)
        assert torch.equal(same.split(name).targets, split.targets)
        assert same.split(name).targets.dtype == split.targets.dtype


def test_every_difference_gives_other_bytes():
    changed = [
        replace(CLASSES, outputs=4),
        replace(CLASSES, fit=("train", "test")),
        replace(CLASSES, splits={"test": EMPTY, "train": TRAIN}),
        CLASSES.with_splits(train=Split(TRAIN.inputs + 1, TRAIN.targets)),
        CLASSES.with_splits(train=Split(TRAIN.inputs, 2 - TRAIN.targets)),
    ]
    assert len({data.pack() for data in (CLASSES, *changed)}) == 6
    assert CLASSES.with_splits(train=TRAIN.take(torch.arange(4))).pack() == CLASSES.pack()


def test_fit_joins_the_splits_trained_on():
    data = replace(CLASSES.with_splits(more=TRAIN.take(torch.tensor([3, 0]))), fit=("train", "more"))
    assert data.split("fit").targets.tolist() == [0, 1, 2, 1, 1, 0]
    assert CLASSES.split("fit") is TRAIN


def test_a_split_that_is_not_there_names_those_that_are():
    with pytest.raises(Problem) as caught:
        CLASSES.split("valid")
    assert caught.value.help == "its splits are `train`, `test`"


def test_what_is_right_passes_unchanged():
    assert CLASSES.checked("rings") is CLASSES
    assert NUMBERS.checked("rings") is NUMBERS


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (replace(CLASSES, fit=("test",)), "no examples to train on in its split `test`"),
        (replace(CLASSES, splits={}), "no examples to train on in its split `train`"),
        (replace(CLASSES, shape=(1, 3)), r"shape \(3,\), not \(1, 3\)"),
        (replace(CLASSES, outputs=2), "the label 2; labels are 0 to 1"),
        (CLASSES.with_splits(train=Split(TRAIN.inputs, TRAIN.targets - 1)), "the label -1"),
        (CLASSES.with_splits(train=Split(TRAIN.inputs.double(), TRAIN.targets)), "float64"),
        (CLASSES.with_splits(train=Split(TRAIN.inputs, TRAIN.targets.int())), "int32"),
        (CLASSES.with_splits(train=Split(TRAIN.inputs, TRAIN.targets[:3])), "4 inputs and 3 targets"),
        (CLASSES.with_splits(train=Split(TRAIN.inputs / 0, TRAIN.targets)), "example 0 is not finite"),
        (replace(NUMBERS, outputs=1), r"not float32 `\(examples, 1\)`"),
        (NUMBERS.with_splits(train=Split(TRAIN.inputs, torch.full((4, 2), torch.inf))), "not finite"),
    ],
)
def test_what_is_wrong_is_refused_by_name(data, message):
    with pytest.raises(Problem, match=message) as caught:
        data.checked("rings")
    assert "`rings`" in caught.value.message
