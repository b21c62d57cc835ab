"""Labels made wrong on purpose."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from gendsl_runtime.data import Dataset
from gendsl_runtime.problem import Problem


def needs_classes(data: Dataset, component: str) -> None:
    """Raises Problem where examples have no classes that could be changed, or only one."""
    if data.task != "classification":
        raise Problem(
            "bad-data",
            f"`{component}` changes the classes of examples, and this dataset is a {data.task}",
            help="use a classification dataset",
        )
    if data.outputs < 2:
        raise Problem("bad-data", f"`{component}` needs at least two classes, and this dataset has one")


def needs_no_places(data: Dataset, component: str) -> None:
    """Raises Problem for a labelling, whose labels would stay where they are while what they are about moves."""
    if data.task == "labelling":
        raise Problem(
            "bad-data",
            f"`{component}` moves pixels, and the labels of this labelling are about places",
            help="leave it out, or use a classification dataset",
        )


def other_labels(labels: Tensor, classes: int, chance: np.random.Generator) -> Tensor:
    """For each label another one, uniform over the other classes; `(examples,)`."""
    shift = chance.integers(1, classes, size=len(labels))
    return (labels + torch.from_numpy(shift)) % classes
