"""Fixed random maps from a few coordinates to all parameters of a network."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from gendsl_runtime.network import Tensors
from gendsl_runtime.random import generator
from gendsl_runtime.train.layers.matmul import matmul

Kind = Literal["kronecker", "dense", "fastfood"]


def drawn(kind: Kind, seed: int, *, size: int, dimension: int) -> dict[str, np.ndarray]:
    """What a map `R^dimension -> R^size` of this kind is made of, float32, from the stream of `seed`.

    Squares of a column's entries sum to 1 on average (`kronecker`: a little less where the size is no square):
    `dense`, normal entries of variance `1 / size`; `kronecker`, two such factors of about `sqrt(size) x
    sqrt(dimension)`; `fastfood`, signs, a permutation, normal gains and the signs after them.
    """
    stream = generator(f"init.projection.{kind}", seed)

    def normal(rows: int, columns: int) -> np.ndarray:
        return stream.standard_normal((rows, columns), dtype=np.float32) / np.float32(math.sqrt(rows))

    if kind == "dense":
        return {"matrix": normal(size, dimension)}
    if kind == "kronecker":
        rows, columns = _side(size), _side(dimension)
        return {"left": normal(rows, columns), "right": normal(rows, columns)}
    length = padded(size, dimension)
    return {
        "signs": _signs(stream, length),
        "places": stream.permutation(length).astype(np.int64),
        "gains": stream.standard_normal(length, dtype=np.float32),
        "last_signs": _signs(stream, length),
    }


def projected(kind: Kind, parts: Tensors, coordinates: Tensor, *, size: int) -> Tensor:
    """The image `(members, size)` of coordinates `(members, dimension)`."""
    if kind == "dense":
        return matmul(parts["matrix"], coordinates.unsqueeze(2))[:, :, 0]
    if kind == "kronecker":
        side = parts["left"].shape[2]
        square = pad(coordinates, (0, side * side - coordinates.shape[1])).reshape(-1, side, side)
        image = matmul(matmul(parts["left"], square), parts["right"].transpose(1, 2))
        return image.flatten(1)[:, :size]
    length = parts["signs"].shape[1]
    return _fastfood(parts, coordinates)[:, :size] / math.sqrt(length * size)


def padded(size: int, dimension: int) -> int:
    """The power of two in which `fastfood` works."""
    return 1 << (max(size, dimension, 2) - 1).bit_length()


def hadamard(values: Tensor) -> Tensor:
    """The Walsh-Hadamard transform of each row, whose length is a power of two, not normalised."""
    length, step = values.shape[1], 1
    while step < length:
        halves = values.reshape(len(values), length // (2 * step), 2, step)
        first, second = halves.unbind(2)
        values = torch.stack([first + second, first - second], 2).flatten(1)
        step *= 2
    return values


def _fastfood(parts: Tensors, coordinates: Tensor) -> Tensor:
    """`S H G P H B w`, w padded with zeros (Le, Sarlos and Smola 2013; Li et al. 2018, section S7)."""
    length = parts["signs"].shape[1]
    values = hadamard(parts["signs"] * pad(coordinates, (0, length - coordinates.shape[1])))
    values = values.gather(1, parts["places"].long()) * parts["gains"]
    return hadamard(values) * parts["last_signs"]


def _signs(stream: np.random.Generator, length: int) -> np.ndarray:
    signs: np.ndarray = (2 * stream.integers(0, 2, length) - 1).astype(np.float32)
    return signs


def _side(count: int) -> int:
    return math.isqrt(count - 1) + 1
