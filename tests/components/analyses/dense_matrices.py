"""Curvature matrices of small networks as a whole, by PyTorch's transformations and textbook formulas."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from gendsl_runtime.runs import Runs


def functions(runs: Runs, member: int, split: str):
    """The vector of parameters of a member, its outputs `(examples, outputs)` and losses as functions of it."""
    one = runs.select([member])
    parameters = one.state.parameters
    inputs, targets = one.split(split)

    def outputs(vector: Tensor) -> Tensor:
        pieces = torch.split(vector, [value.numel() for value in parameters.values()])
        values = {n: piece.reshape(v.shape) for (n, v), piece in zip(parameters.items(), pieces, strict=True)}
        return one.network.apply(values, one.state.buffers, inputs, training=False)[0][0].T

    def losses(found: Tensor) -> Tensor:
        return one.loss(found.T[None], targets)[0]

    return torch.cat([value.flatten() for value in parameters.values()]), outputs, losses


def dense(runs: Runs, member: int, *, on: str = "train", operator: str = "hessian") -> np.ndarray:
    """The matrix `(parameters, parameters)` of one member."""
    vector, outputs, losses = functions(runs, member, on)
    if operator == "hessian":
        mean_loss = lambda v: losses(outputs(v)).mean()  # noqa: E731
        if any(value.ndim > 3 for value in runs.state.parameters.values()):
            # channels-last kernels do not go through vmap
            return torch.autograd.functional.hessian(mean_loss, vector).double().numpy()
        return torch.func.hessian(mean_loss)(vector).double().numpy()
    jacobian = torch.autograd.functional.jacobian(outputs, vector).double()
    found = outputs(vector).detach()
    middle = {"ggn": _loss_hessians, "fisher": _covariances, "empirical_fisher": _outer_slopes}[operator]
    weights = middle(runs, losses, found).double()
    return (torch.einsum("nip,nij,njq->pq", jacobian, weights, jacobian) / len(found)).numpy()


def _loss_hessians(runs: Runs, losses, found: Tensor) -> Tensor:
    whole = torch.autograd.functional.hessian(lambda f: losses(f).sum(), found)
    index = torch.arange(len(found))
    return whole[index, :, index, :]


def _outer_slopes(runs: Runs, losses, found: Tensor) -> Tensor:
    slopes = torch.autograd.functional.jacobian(lambda f: losses(f).sum(), found)
    return slopes[:, :, None] * slopes[:, None, :]


def _covariances(runs: Runs, losses, found: Tensor) -> Tensor:
    """`E_y[s s^T]`, label by label."""
    classes = found.shape[1]
    if runs.data[0].task == "regression":
        return torch.eye(classes, dtype=found.dtype).expand(len(found), -1, -1) * 2 / classes
    chances = torch.softmax(found, 1)
    total = torch.zeros(len(found), classes, classes, dtype=found.dtype)
    for label in range(classes):
        score = chances - torch.eye(classes, dtype=found.dtype)[label]
        total += chances[:, label, None, None] * score[:, :, None] * score[:, None, :]
    return total


def dense_gradient(runs: Runs, member: int, *, on: str = "train") -> np.ndarray:
    vector, outputs, losses = functions(runs, member, on)
    return torch.autograd.functional.jacobian(lambda v: losses(outputs(v)).mean(), vector).numpy()
