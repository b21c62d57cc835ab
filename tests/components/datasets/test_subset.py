"""Random parts that know their places."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats

from gendsl_runtime.data import Dataset
from gendsl_runtime.datasets.keep import keep
from gendsl_runtime.datasets.sklearn_digits import sklearn_digits
from gendsl_runtime.datasets.subset import subset
from gendsl_runtime.datasets.with_label_noise import with_label_noise
from gendsl_runtime.problem import Problem


def test_a_part_is_where_it_says():
    digits = sklearn_digits(train=200)
    part = subset(digits, share=0.3, seed=4)
    train, whole = part.split("train"), part.split("whole")
    assert len(train) == 60
    assert torch.equal(whole.inputs, digits.split("train").inputs)
    assert torch.equal(whole.inputs[train.places], train.inputs)
    assert torch.equal(whole.targets[train.places], train.targets)
    assert (train.places.diff() > 0).all()
    assert part.split("test") is digits.split("test")


def test_parts_are_nested_and_uniform():
    digits = sklearn_digits(train=1000)
    few, many = (subset(digits, share=share, seed=1).split("train").places.tolist() for share in (0.2, 0.6))
    assert set(few) < set(many)
    assert stats.kstest(np.array(many) / 1000, "uniform").pvalue > 1e-4
    assert few != subset(digits, share=0.2, seed=2).split("train").places.tolist()


def test_places_survive_storage_and_a_further_choice_and_no_more():
    part = subset(sklearn_digits(train=50), seed=3)
    again = Dataset.unpack(part.pack())
    assert torch.equal(again.split("train").places, part.split("train").places)
    assert again.split("test").places is None
    fewer = keep(part, share=0.5).split("train")
    assert torch.equal(part.split("whole").inputs[fewer.places], fewer.inputs)
    assert with_label_noise(part, share=0.5).split("train").places is None


@pytest.mark.parametrize(
    ("share", "times", "message"), [(0.0, 1, "leaves nothing"), (0.5, 2, "a split `whole` already")]
)
def test_what_cannot_be_done(share, times, message):
    data = sklearn_digits(train=40)
    with pytest.raises(Problem, match=message):
        for _ in range(times):
            data = subset(data, share=share)
