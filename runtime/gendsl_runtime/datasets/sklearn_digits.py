"""Handwritten digits, 8x8."""

from __future__ import annotations

from gendsl_runtime.component import Count, Natural, Seed, dataset
from gendsl_runtime.data import Dataset
from gendsl_runtime.data.splitting import cut, parts


@dataset(
    version=1,
    task="classification",
    shape=(1, 8, 8),
    outputs=10,
    splits={"train": "train", "held_back": "held_back", "test": "test"},
    paper=["kaynak1995methods", "pedregosa2011scikit"],
)
def sklearn_digits(
    *, train: Count = 1000, held_back: Natural = 0, test: Natural = 500, seed: Seed = 0
) -> Dataset:
    """1797 real handwritten digits, 8x8 pixels.

    They were written by 43 people and come with scikit-learn. Each pixel counts the ink in a 4x4 block of a
    32x32 bitmap, 0 to 16; it is divided by 16, so inputs lie in [0, 1] with shape `(1, 8, 8)`. Ten classes of
    174 to 183 images. No download.

    The splits are disjoint and drawn at random from the 1797 images. With one `seed`, a larger `train` holds
    every smaller one and `test` stays the same.

    Args:
        train: training images.
        held_back: images set aside, for `with_wrong_labels` or for choosing parameters.
        test: test images; the three together at most 1797.
        seed: seed of the splits. It is not the replicate's unless `seed = seed` says so.

    Papers:
        Kaynak (1995), Methods of combining multiple classifiers and their applications to handwritten digit
        recognition (the UCI test set "Optical recognition of handwritten digits"). Pedregosa et al. (2011),
        Scikit-learn: machine learning in Python, JMLR 12.

    Example:
        dataset digits = sklearn_digits(train=1000, test=500)
    """
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    places = parts(
        len(labels), train=train, held_back=held_back, test=test, seed=seed, source="sklearn_digits"
    )
    splits = cut(images.reshape(-1, 1, 8, 8) / 16, labels, places)
    return Dataset(splits, task="classification", shape=(1, 8, 8), outputs=10)
