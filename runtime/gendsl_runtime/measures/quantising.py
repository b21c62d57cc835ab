"""Weights tuned so that few values do: training through the quantisation."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from gendsl_runtime.measures import vectors
from gendsl_runtime.measures.coding import Quantised, clusters, quantised
from gendsl_runtime.network import Tensors
from gendsl_runtime.random import generator
from gendsl_runtime.runs import Runs

BETAS, TINY = (0.9, 0.999), 1e-8
"""Of Adam, as in Kingma and Ba 2015."""


class _Adam:
    """Adam on arrays, float64, with steps that shrink linearly to nothing."""

    def __init__(self, rate: np.ndarray, steps: int) -> None:
        self._rate, self._steps, self._budget = rate, 0, steps
        self._first: np.ndarray | float = 0.0
        self._second: np.ndarray | float = 0.0

    def step(self, gradient: np.ndarray) -> np.ndarray:
        """What is taken from the values."""
        self._steps += 1
        self._first = BETAS[0] * self._first + (1 - BETAS[0]) * gradient
        self._second = BETAS[1] * self._second + (1 - BETAS[1]) * gradient**2
        first = self._first / (1 - BETAS[0] ** self._steps)
        second = self._second / (1 - BETAS[1] ** self._steps)
        left = 1 - (self._steps - 1) / self._budget
        taken: np.ndarray = left * self._rate * first / (np.sqrt(second) + TINY)
        return taken


def codes(
    runs: Runs, reference: Tensor, *, levels: int, epochs: int, batch: int, rate: float
) -> list[Quantised]:
    """Each member's weights less their reference, as a codebook and places in it.

    k-means of what was trained; then, for some epochs of Adam on the training loss of the quantised network, weights
    and values of the codebook are tuned together (Lotfi et al. 2022, section 4.2). The forward pass has the
    nearest value for each weight; its slope goes to the weight as it is (straight through), and to the value the sum
    over the weights it stands for. The first steps have the size `rate` times the standard
    deviation of a member's weights, the last ones none.
    """
    weights = (vectors.flat(runs.state.parameters).double() - reference).cpu().numpy()
    centres = np.stack([clusters(row, levels) for row in weights])
    sizes = rate * weights.std(axis=1, keepdims=True)
    steps = epochs * math.ceil(runs.split("fit")[0].shape[1] / batch)
    of_weights, of_centres = _Adam(sizes, steps), _Adam(sizes, steps)
    for inputs, targets in _batches(runs, epochs, batch):
        places = [_nearest(w, c) for w, c in zip(weights, centres, strict=True)]
        values = np.stack([c[place] for c, place in zip(centres, places, strict=True)])
        slopes = _slopes(runs, reference, values, inputs, targets)
        shared = np.stack(
            [np.bincount(place, slope, levels) for place, slope in zip(places, slopes, strict=True)]
        )
        weights = weights - of_weights.step(slopes)
        centres = np.sort(centres - of_centres.step(shared), axis=1)
    return [quantised(w, c) for w, c in zip(weights, centres, strict=True)]


def restored(runs: Runs, reference: Tensor, values: np.ndarray) -> Tensors:
    """Parameters with these values `(members, size)` beside their reference."""
    moved = reference + torch.from_numpy(values).to(reference.device)
    return vectors.shaped(moved, runs.state.parameters)


def _nearest(weights: np.ndarray, centres: np.ndarray) -> np.ndarray:
    return np.searchsorted((centres[1:] + centres[:-1]) / 2, weights)


def _slopes(runs: Runs, reference: Tensor, values: np.ndarray, inputs: Tensor, targets: Tensor) -> np.ndarray:
    """Of each member's mean loss, `(members, size)`."""
    leaves = {name: value.requires_grad_() for name, value in restored(runs, reference, values).items()}
    with torch.enable_grad():
        total = runs.losses(inputs, targets, leaves).mean(1).sum()
        found = torch.autograd.grad(total, list(leaves.values()))
    return vectors.flat(dict(zip(leaves, found, strict=True))).double().cpu().numpy()


def _batches(runs: Runs, epochs: int, batch: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches of what was trained on, in an order of each member's own."""
    if epochs == 0:
        return
    inputs, targets = runs.split("fit")
    examples = inputs.shape[1]
    rows = torch.arange(runs.members)[:, None]
    for epoch in range(epochs):
        order = torch.from_numpy(
            np.stack([generator("quantising", seed, epoch).permutation(examples) for seed in runs.seeds])
        )
        for places in torch.split(order, batch, dim=1):
            yield inputs[rows, places], targets[rows, places]
