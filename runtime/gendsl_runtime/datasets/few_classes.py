"""A few classes, and a few examples of each."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from gendsl_runtime.component import Count, Seed, dataset
from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.problem import Problem
from gendsl_runtime.random import generator


@dataset(
    version=2,
    like="data",
    needs="classification",
    outputs="classes",
    splits={"train": "train", "*": None},
    paper="chiang2023loss",
)
def few_classes(data: Dataset, *, classes: Count = 2, train: Count = 16, seed: Seed = 0) -> Dataset:
    """Some classes drawn at random, few examples of them to train on, and what other splits have of them.

    The classes are numbered 0, 1, ... in the order drawn. The training set holds as many of each as of the others, or
    one more of the first ones, alternating (0, 1, 0, 1 ...); with one `seed` a larger one begins with every smaller
    one. Other splits keep as many of each class as the rarest of all classes has there, the first ones, in their old
    order: chance is 1 / classes, and runs with other classes have as many examples and train in one stack.

    Args:
        data: a classification.
        classes: how many classes, at least 2.
        train: training examples, of all classes together; at least one of each.
        seed: seed of the classes and of the examples; `seed = seed` draws others for every replicate.

    Example:
        dataset pair = few_classes(mnist_5k(side=14), train=8, seed=seed)
    """
    split = data.split("train")
    labels = split.targets.numpy()
    present = np.unique(labels)
    if not 2 <= classes <= len(present) or train < classes:
        raise Problem(
            "bad-data",
            f"`few_classes` cannot draw {classes} classes with {train} examples: the training set has "
            f"{len(present)} classes",
            help="give at least two `classes`, and as many examples in `train`",
        )
    chosen = generator("few_classes", seed).permutation(present)[:classes]
    places = [
        generator("few_classes.examples", seed, place).permutation(np.flatnonzero(labels == label))
        for place, label in enumerate(chosen)
    ]
    turns = [(number % classes, number // classes) for number in range(train)]
    for place, own in enumerate(places):
        if len(own) < (wanted := sum(turn == place for turn, _ in turns)):
            raise Problem(
                "bad-data",
                f"`few_classes` needs {wanted} examples of class {chosen[place]}, and there are {len(own)}",
                help="give fewer in `train`",
            )
    kept = np.array([places[place][number] for place, number in turns])
    splits = {name: _of(other, chosen) for name, other in data.splits.items() if name != "train"}
    new = _numbered(split.take(kept), chosen)
    return replace(data, splits={"train": new, **splits}, outputs=classes, fit=("train",))


def _of(split: Split, chosen: np.ndarray) -> Split:
    """The first examples of each chosen class, as many as the rarest class has."""
    labels = split.targets.numpy()
    count = np.unique(labels, return_counts=True)[1].min() if len(labels) else 0
    kept = np.concatenate([np.flatnonzero(labels == label)[:count] for label in chosen])
    return _numbered(split.take(np.sort(kept)), chosen)


def _numbered(split: Split, chosen: np.ndarray) -> Split:
    """The same with classes by their places among the chosen ones."""
    order = np.argsort(chosen)
    places = order[np.searchsorted(chosen[order], split.targets.numpy())]
    return replace(split, targets=torch.from_numpy(places.astype(np.int64)))
