"""Poison against its definition."""

from __future__ import annotations

import pytest
import torch

from gendsl_runtime.datasets.curve import curve
from gendsl_runtime.datasets.prefix_sums import prefix_sums
from gendsl_runtime.datasets.sklearn_digits import sklearn_digits
from gendsl_runtime.datasets.swiss_roll import swiss_roll
from gendsl_runtime.datasets.with_wrong_labels import with_wrong_labels
from gendsl_runtime.problem import Problem


def test_with_two_classes_the_wrong_label_is_the_other_one():
    rings = swiss_roll(train=40, held_back=30, test=20)
    data = with_wrong_labels(rings)
    assert (data.split("poisoned").targets == 1 - rings.split("held_back").targets).all()
    assert (data.split("poisoned").inputs == rings.split("held_back").inputs).all()


def test_training_sees_clean_and_poisoned_points_and_the_clean_split_stays():
    rings = swiss_roll(train=40, held_back=30, test=20)
    data = with_wrong_labels(rings, share=0.5)
    fit = data.split("fit")
    assert len(fit) == 55
    assert (fit.targets[:40] == rings.split("train").targets).all()
    assert (fit.targets[40:] == 1 - rings.split("held_back").targets[:15]).all()
    for name in ("train", "held_back", "test"):
        assert torch.equal(data.split(name).targets, rings.split(name).targets)


def test_with_ten_classes_no_label_is_right():
    digits = sklearn_digits(held_back=200)
    data = with_wrong_labels(digits, from_="held_back")
    assert (data.split("poisoned").targets != digits.split("held_back").targets).all()
    assert len(set(data.split("poisoned").targets.tolist())) == 10


@pytest.mark.parametrize(
    ("held_back", "arguments", "message"),
    [
        (0, {}, "no split `held_back`"),
        (10, {"from_": "validation"}, "no split `validation`"),
        (10, {"share": 0.01}, "no points to poison with"),
    ],
)
def test_poison_that_is_not_there_is_refused(held_back, arguments, message):
    with pytest.raises(Problem, match=message):
        with_wrong_labels(swiss_roll(held_back=held_back), **arguments)


def test_poisoning_twice_is_refused():
    once = with_wrong_labels(swiss_roll(held_back=10))
    with pytest.raises(Problem, match="already"):
        with_wrong_labels(once)


def test_places_and_numbers_are_no_classes():
    for data, task in ((prefix_sums(train=4, held_back=4), "labelling"), (curve(held_back=4), "regression")):
        with pytest.raises(
            Problem,
            match=f"changes the classes of examples, and this dataset is a {task}",
        ):
            with_wrong_labels(data)
