"""Shuffled pixels against what a permutation must keep and lose."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.spatial.distance import pdist

from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.datasets.gaussian_teacher import gaussian_teacher
from gendsl_runtime.datasets.mazes import mazes
from gendsl_runtime.datasets.shuffled_pixels import shuffled_pixels
from gendsl_runtime.datasets.sklearn_digits import sklearn_digits
from gendsl_runtime.problem import Problem


def numbered(examples: int) -> Dataset:
    """Two-channel 3x3 images whose pixels hold their own place, 0 to 17."""
    inputs = torch.arange(18.0).reshape(1, 2, 3, 3).expand(examples, 2, 3, 3).contiguous()
    split = Split(inputs, torch.zeros(examples, dtype=torch.int64))
    return Dataset({"train": split, "test": split}, task="classification", shape=(2, 3, 3), outputs=2)


def test_one_order_for_all_keeps_every_distance():
    digits = sklearn_digits(train=60, test=40)
    data = shuffled_pixels(digits)
    old, new = (
        np.concatenate([d.split(name).inputs.double().flatten(1) for name in ("train", "test")])
        for d in (digits, data)
    )
    assert (old != new).any()
    np.testing.assert_allclose(pdist(old), pdist(new), rtol=1e-12)


def test_the_same_order_is_a_permutation_of_whole_pixels():
    data = shuffled_pixels(numbered(5))
    for split in data.splits.values():
        first, second = split.inputs.flatten(2).unbind(1)
        assert (second == first + 9).all()
        assert (first == first[:1]).all()
        assert sorted(first[0].tolist()) == list(range(9))


def test_an_order_of_its_own_for_every_example():
    data = shuffled_pixels(numbered(200), order="own")
    first, second = data.split("train").inputs.flatten(2).unbind(1)
    assert (second == first + 9).all()
    assert (first.sort(1).values == torch.arange(9.0)).all()
    assert len(set(map(tuple, first.tolist()))) > 190
    assert (data.split("test").inputs != data.split("train").inputs).any()


def test_coordinates_of_a_vector_are_permuted():
    known = gaussian_teacher(dimension=7)
    data = shuffled_pixels(known)
    assert (data.split("test").inputs.sort(1).values == known.split("test").inputs.sort(1).values).all()
    assert (data.split("test").inputs != known.split("test").inputs).any()


def test_labels_of_places_would_not_follow():
    with pytest.raises(Problem, match="labels of this labelling are about places"):
        shuffled_pixels(mazes(side=5, train=2, test=0))
