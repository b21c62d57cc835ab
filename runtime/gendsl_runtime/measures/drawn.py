"""Which examples of the split `whole` each of several runs was trained on."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from gendsl_runtime.measures.prediction import same_examples
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Runs

WHOLE = "whole"
"""The split that `subset` draws from."""


def membership(runs: Runs, *, measure: str) -> np.ndarray:
    """Whether each run was trained on each example of `whole`, `(runs, examples)`.

    By the places that training examples carry, not by comparing them: two examples may be equal.

    Raises:
        Problem: the data were not drawn by `subset`, or lost their places since, or the runs have no whole in
            common.
    """
    if not all(WHOLE in data.splits and data.split("train").places is not None for data in runs.data):
        raise Problem(
            "bad-data",
            f"`{measure}` needs to know which examples each run was trained on",
            help="train on `subset(data, share=70%, seed=seed)`, and change inputs and labels inside it",
        )
    same_examples(runs, WHOLE)
    found = np.zeros((runs.members, len(runs.data[0].split(WHOLE))), dtype=bool)
    for row, data in zip(found, runs.data, strict=True):
        places = data.split("train").places
        assert places is not None
        row[places.numpy()] = True
    return found


@torch.no_grad()
def classes(runs: Runs, *, on: str) -> Tensor:
    """The class each run gives to each example, `(runs, examples)`; of equal outputs the first one."""
    return torch.cat([runs.outputs(inputs).max(1).indices for inputs, _ in runs.chunks(on)], dim=1)


def is_right(runs: Runs, *, on: str) -> np.ndarray:
    """Whether each run classifies each example rightly, `(runs, examples)`."""
    found: np.ndarray = (classes(runs, on=on) == runs.split(on)[1]).cpu().numpy()
    return found


def with_and_without(is_in: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`mean of values over runs with an example - over runs without it`, and its standard error.

    Args:
        is_in: `(runs, examples)`.
        values: `(runs, targets)`.

    Returns:
        Both `(examples, targets)`; NaN where no run is with the example, or none without, and the error also
        where there is one.
    """
    moments = []
    for chosen in (is_in, ~is_in):
        count = chosen.sum(0, dtype=np.float64)[:, None]
        weights = chosen.T.astype(np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = weights @ values / count
            spread = np.maximum(weights @ np.square(values) / count - np.square(mean), 0.0) / (count - 1)
        moments.append((mean, np.where(count > 1, spread, np.nan)))
    (inside, own), (outside, other) = moments
    return inside - outside, np.sqrt(own + other)
