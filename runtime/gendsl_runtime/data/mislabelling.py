"""Labels made wrong on purpose."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from gendsl_runtime.data import Dataset
from gendsl_runtime.problem import Problem


def needs_classes(data: Dataset, component: str) -> None:
    """Raises Problem where there are no labels to change, or only one class."""
    if data.task != "classification":
        raise Problem(
            "bad-data",
            f"`{component}` changes labels, and this dataset is a regression",
            help="use a classification dataset",
        )
    if data.outputs < 2:
        raise Problem("bad-data", f"`{component}` needs at least two classes, and this dataset has one")


def other_labels(labels: Tensor, classes: int, chance: np.random.Generator) -> Tensor:
    """For each label another one, uniform over the other classes; `(examples,)`."""
    shift = chance.integers(1, classes, size=len(labels))
    return (labels + torch.from_numpy(shift)) % classes
