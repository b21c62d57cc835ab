"""A few classes: which, how many, and what stays the same as the training set grows."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.datasets.few_classes import few_classes
from gendsl_runtime.problem import Problem


def ten(per_class: int = 8) -> Dataset:
    """Inputs that say their class."""

    def split(count: int) -> Split:
        labels = torch.arange(10).repeat(count)
        return Split(torch.stack([labels.float(), torch.arange(10.0 * count)], 1), labels)

    return Dataset({"train": split(per_class), "test": split(3)}, "classification", (2,), 10)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("train", [3, 8])
def test_classes_are_renumbered_in_all_splits(classes, train) -> None:
    data = few_classes(ten(), classes=classes, train=train, seed=4)
    assert data.outputs == classes
    names = {}
    for split in data.splits.values():
        for (label, _), target in zip(split.inputs.tolist(), split.targets.tolist(), strict=True):
            assert names.setdefault(target, label) == label
    assert sorted(names) == list(range(classes)) and len(set(names.values())) == classes
    assert len(data.split("test")) == 3 * classes
    assert data.split("train").targets.tolist() == [place % classes for place in range(train)]


def test_a_larger_one_begins_with_a_smaller_one() -> None:
    small, large = (few_classes(ten(), train=train, seed=2).split("train") for train in (4, 16))
    assert torch.equal(large.inputs[:4], small.inputs)
    assert len(np.unique(large.inputs[:, 1])) == 16


def test_seeds_draw_all_classes() -> None:
    found = {
        tuple(few_classes(ten(), train=2, seed=seed).split("train").inputs[:, 0].tolist())
        for seed in range(80)
    }
    assert {label for pair in found for label in pair} == set(range(10))
    assert len(found) > 40


def test_other_splits_are_as_large_whatever_is_drawn() -> None:
    """Class k has k + 2 test examples, so 2 of each are kept."""
    data = ten()
    labels = torch.repeat_interleave(torch.arange(10), torch.arange(10) + 2)
    test = Split(torch.stack([labels.float(), torch.arange(float(len(labels)))], 1), labels)
    for seed in range(5):
        found = few_classes(data.with_splits(test=test), train=2, seed=seed).split("test")
        assert found.targets.sum() == 2 and len(found) == 4
        assert (found.inputs[:, 1].diff() > 0).all()


@pytest.mark.parametrize(("classes", "train"), [(11, 20), (1, 4), (2, 1), (2, 17)])
def test_what_is_not_there_is_refused(classes, train) -> None:
    with pytest.raises(Problem, match="few_classes"):
        few_classes(ten(), classes=classes, train=train, seed=0)
