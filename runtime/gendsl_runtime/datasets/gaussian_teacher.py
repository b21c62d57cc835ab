"""Gaussian inputs labelled by a known network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
import torch

from gendsl_runtime.component import Count, Natural, NonNegative, Seed, dataset
from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.problem import Problem
from gendsl_runtime.random import generator

Teacher = Callable[[np.ndarray], np.ndarray]
"""Inputs `(examples, dimension)` to outputs `(examples, outputs)`."""


@dataset(
    version=1,
    task="task",
    shape=("dimension",),
    outputs="outputs",
    splits={"train": "train", "held_back": "held_back", "test": "test"},
    paper=["gardner1989three", "cho2009kernel"],
)
def gaussian_teacher(
    *,
    train: Count = 200,
    held_back: Natural = 0,
    test: Natural = 2000,
    task: Literal["regression", "classification"] = "regression",
    teacher: Literal["linear", "mlp"] = "linear",
    dimension: Count = 20,
    hidden: Count = 4,
    outputs: Count | None = None,
    noise: NonNegative = 0.1,
    seed: Seed = 0,
    teacher_seed: Seed = 0,
) -> Dataset:
    """Teacher and student: normal inputs with targets from a network that is known.

    Inputs are `x ~ N(0, I)` in `dimension` coordinates. The teacher f has `outputs` outputs f_k, each with
    mean 0 and variance 1 over the inputs, exactly:

    - `linear`: `f_k(x) = w_k . x` with orthonormal w_k in random directions;
    - `mlp`: `f_k(x) = (sum_j a_kj max(0, w_j . x) - m_k) / s_k` with `hidden` random unit vectors w_j and
      normal a_kj. Mean m_k and deviation s_k are known in closed form from `E max(0, w.x) = 1 / sqrt(2 pi)`
      and the kernel `E max(0, w.x) max(0, v.x) = (sin t + (pi - t) cos t) / (2 pi)`, t the angle between w
      and v.

    Regression: `y = f(x) + noise * e`, e standard normal. No predictor has a lower mean squared error than
    `noise ** 2` for each output, and predicting 0 has `1 + noise ** 2`.

    Classification: `y = argmax_k (f_k(x) + noise * e_k)`, equally likely classes for the linear teacher. With
    a linear teacher and two classes the lowest possible error is `arctan(noise) / pi`; without noise it is 0.

    All splits have the same distribution, noise included. Every split is drawn by itself: a larger one begins
    with the points of a smaller one, and the others stay the same.

    Args:
        train: training examples.
        held_back: further examples, for `with_wrong_labels` or for choosing parameters.
        test: test examples.
        task: whether the targets are numbers or classes.
        teacher: the kind of network that labels.
        dimension: coordinates of an input.
        hidden: hidden units of the `mlp` teacher; a linear one has none.
        outputs: target dimensions (1 unless given) or classes (2 unless given); at most `dimension` for a
            linear teacher.
        noise: standard deviation of the noise on each output, where the output itself has 1.
        seed: seed of the inputs and the noise.
        teacher_seed: seed of the teacher.

    Papers:
        Gardner and Derrida (1989), Three unfinished works on the optimal storage capacity of networks, J.
        Phys. A 22 (teacher and student). Cho and Saul (2009), Kernel methods for deep learning, NeurIPS (the
        kernel).

    Example:
        dataset known = gaussian_teacher(train=100, dimension=50, noise=0.5, seed=seed)
    """
    is_regression = task == "regression"
    width = outputs or (1 if is_regression else 2)
    _check(width, dimension, task=task, teacher=teacher)
    truth = (
        linear_teacher(dimension, width, seed=teacher_seed)
        if teacher == "linear"
        else mlp_teacher(dimension, width, hidden=hidden, seed=teacher_seed)
    )

    def drawn(split: str, count: int) -> Split:
        inputs = generator(f"gaussian_teacher.{split}.inputs", seed).standard_normal((count, dimension))
        values = truth(inputs)
        values += noise * generator(f"gaussian_teacher.{split}.noise", seed).standard_normal((count, width))
        targets = values.astype(np.float32) if is_regression else values.argmax(1)
        return Split(torch.from_numpy(inputs.astype(np.float32)), torch.from_numpy(targets))

    sizes = {"train": train, "held_back": held_back, "test": test}
    splits = {name: drawn(name, count) for name, count in sizes.items() if count}
    return Dataset(splits, task=task, shape=(dimension,), outputs=width)


def _check(width: int, dimension: int, *, task: str, teacher: str) -> None:
    if task == "classification" and width < 2:
        raise Problem(
            "bad-data",
            "`gaussian_teacher` needs at least two classes",
            help="leave `outputs` out, or raise it",
        )
    if teacher == "linear" and width > dimension:
        raise Problem(
            "bad-data",
            f"a linear teacher of {dimension} input dimensions cannot have {width} orthogonal outputs",
            help=f"`outputs` is at most {dimension}, or use `teacher=mlp`",
        )


def linear_teacher(dimension: int, outputs: int, *, seed: int) -> Teacher:
    """`f(x) = x W` with orthonormal columns, so outputs are independent with variance 1."""
    normal = generator("gaussian_teacher.weights", seed).standard_normal((dimension, outputs))
    weights, triangle = np.linalg.qr(normal)
    # With a positive diagonal the directions are uniform, whatever the signs that LAPACK chooses.
    weights = weights * np.sign(np.diag(triangle))
    return lambda inputs: _product(inputs, weights)


def mlp_teacher(dimension: int, outputs: int, *, hidden: int, seed: int) -> Teacher:
    """One hidden layer of rectified units, its outputs centred and scaled by their exact moments."""
    weights = generator("gaussian_teacher.weights", seed).standard_normal((dimension, hidden))
    weights /= np.linalg.norm(weights, axis=0)
    mixing = generator("gaussian_teacher.mixing", seed).standard_normal((hidden, outputs))
    cosine = np.clip(weights.T @ weights, -1.0, 1.0)
    angle = np.arccos(cosine)
    kernel = (np.sin(angle) + (np.pi - angle) * cosine) / (2 * np.pi)
    mean = mixing.sum(0) / np.sqrt(2 * np.pi)
    deviation = np.sqrt(np.einsum("jk,jl,lk->k", mixing, kernel, mixing) - mean**2)
    return lambda inputs: (_product(np.maximum(_product(inputs, weights), 0.0), mixing) - mean) / deviation


def _product(inputs: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The product of two matrices, row by row: BLAS would let a row's bits depend on how many there are."""
    product: np.ndarray = np.einsum("nd,dk->nk", inputs, weights)
    return product
