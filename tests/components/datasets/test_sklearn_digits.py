"""Digits against scikit-learn's own arrays."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits

from gendsl_runtime.datasets.sklearn_digits import sklearn_digits
from gendsl_runtime.problem import Problem


def test_every_image_is_one_of_scikit_learns_with_its_label():
    raw = load_digits()
    known = {(image / 16).astype(np.float32).tobytes(): label for image, label in zip(raw.images, raw.target)}
    data = sklearn_digits(train=1000, held_back=297, test=500)
    seen = []
    for split in data.splits.values():
        for image, label in zip(split.inputs.numpy(), split.targets.numpy()):
            assert known[image[0].tobytes()] == label
            seen.append(image.tobytes())
    assert len(set(seen)) == len(set(known)) == 1797


def test_class_sizes_are_those_of_the_whole_set():
    data = sklearn_digits(train=1797, test=0)
    assert np.array_equal(np.bincount(data.split("train").targets), np.bincount(load_digits().target))


def test_a_larger_training_set_holds_the_smaller_and_the_test_set_stays():
    small, large = sklearn_digits(train=100, test=300), sklearn_digits(train=900, test=300)
    assert (large.split("train").inputs[:100] == small.split("train").inputs).all()
    assert (large.split("test").inputs == small.split("test").inputs).all()


def test_another_seed_gives_another_split():
    assert (
        sklearn_digits(seed=0).split("test").targets != sklearn_digits(seed=1).split("test").targets
    ).any()


def test_too_many_examples_are_refused():
    with pytest.raises(Problem, match="1797 examples, and the splits ask for 1800"):
        sklearn_digits(train=1000, held_back=300, test=500)
