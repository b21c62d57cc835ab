"""Malignant and benign breast tumours."""

from __future__ import annotations

from gendsl_runtime.component import Count, Flag, Natural, Seed, dataset
from gendsl_runtime.data import Dataset
from gendsl_runtime.data.splitting import cut, parts, standard


@dataset(
    version=1,
    task="classification",
    shape=(30,),
    outputs=2,
    splits={"train": "train", "held_back": "held_back", "test": "test"},
    paper=["street1993nuclear", "pedregosa2011scikit"],
)
def breast_cancer(
    *,
    train: Count = 400,
    held_back: Natural = 0,
    test: Natural = 169,
    standardise: Flag = True,
    seed: Seed = 0,
) -> Dataset:
    """569 real tumours described by 30 numbers each.

    212 are malignant (class 0) and 357 benign (class 1): the Wisconsin diagnostic data, mean, standard error
    and largest value of ten measures of the cell nuclei in an image (radius, texture, perimeter, area ...).
    They come with scikit-learn. No download. Shape `(30,)`.

    The measures differ in scale by five orders of magnitude, so by default each is standardised: minus its
    mean over `train`, over its standard deviation there.

    The splits are disjoint and drawn at random. With one `seed`, a larger `train` holds every smaller one and
    `test` stays the same.

    Args:
        train: training examples.
        held_back: examples set aside, for `with_wrong_labels` or for choosing parameters.
        test: test examples; the three together at most 569.
        standardise: whether inputs are standardised; otherwise they are as measured.
        seed: seed of the splits.

    Papers:
        Street, Wolberg and Mangasarian (1993), Nuclear feature extraction for breast tumor diagnosis, SPIE
        1905. Pedregosa et al. (2011), Scikit-learn: machine learning in Python, JMLR 12.

    Example:
        dataset tumours = breast_cancer(train=400, test=169)
    """
    from sklearn.datasets import load_breast_cancer

    inputs, labels = load_breast_cancer(return_X_y=True)
    places = parts(
        len(labels), train=train, held_back=held_back, test=test, seed=seed, source="breast_cancer"
    )
    data = Dataset(cut(inputs, labels, places), task="classification", shape=(30,), outputs=2)
    return standard(data) if standardise else data
