"""Planes through weight space: random filter-normalised directions, and the loss over a grid."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor

from gendsl_runtime.measures.matrices import is_weight
from gendsl_runtime.measures.points import Heights, heights
from gendsl_runtime.measures.restate import Statistics
from gendsl_runtime.network import State, Tensors
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Runs

Biases = Literal["ignored", "included"]
Normalised = Literal["filter", "layer", "none"]


def direction(
    parameters: Tensors, stream: np.random.Generator, *, normalised: Normalised, biases: Biases
) -> Tensors:
    """A Gaussian direction for one member `(1, ...)`, scaled to the network (Li et al. 2018, section 4).

    `filter`: each filter, the incoming weights of one output, gets the norm of the network's own at its place; `layer`:
    each weight tensor as a whole; `none`: standard normal. With `biases` `ignored` nothing but weights moves, as in the
    paper. `included`: a bias is part of its filter (or layer), both being scaled as one vector; a gain or offset of a
    norm is scaled as one vector. A filter whose weights are all 0 does not move.

    Raises:
        Problem: nothing of the network moves.
    """
    drawn = {
        name: torch.from_numpy(stream.standard_normal(tuple(value.shape[1:]), dtype=np.float32))[None].to(
            value
        )
        for name, value in parameters.items()
        if biases == "included" or is_weight(value)
    }
    if not drawn:
        raise Problem(
            "unknown-layers",
            "the network learns no weights of layers to move",
            help="write `biases=included`",
        )
    if normalised == "none":
        return drawn
    found: Tensors = {}
    for name in drawn:
        if name not in found:
            found |= _scaled(name, drawn, parameters, each=normalised == "filter")
    return {name: found[name] for name in drawn}


def _scaled(name: str, drawn: Tensors, parameters: Tensors, *, each: bool) -> Tensors:
    """A drawn weight with its bias, or a lone vector, as long as the network's own."""
    stem = name.rpartition(".")[0]
    weight, bias = f"{stem}.weight", f"{stem}.bias"
    is_filter = weight in parameters and is_weight(parameters[weight])
    names = [part for part in (weight, bias) if part in drawn] if is_filter else [name]
    norms = [
        torch.stack([_squares(values[part], each=each and is_filter) for part in names]).sum(0).sqrt()
        for values in (parameters, drawn)
    ]
    factor = norms[0] / norms[1].clamp_min(torch.finfo(norms[1].dtype).tiny)
    return {
        part: drawn[part] * factor.reshape(1, -1, *[1] * (drawn[part].ndim - 2)).to(drawn[part])
        for part in names
    }


def _squares(value: Tensor, *, each: bool) -> Tensor:
    """Squared norms `(filters,)`, or of the whole `(1,)`; float64."""
    rows = value[0].double().reshape(len(value[0]) if each else 1, -1)
    return rows.square().sum(1)


def cosine(first: Tensors, second: Tensors) -> float:
    """Cosine of the angle between two directions of one member; NaN where one does not move."""
    inner, one, two = (
        float(torch.stack([(a[name].double() * b[name].double()).sum() for name in a]).sum())
        for a, b in ((first, second), (first, first), (second, second))
    )
    return inner / float(np.sqrt(one * two)) if one * two else np.nan


def grid(xs: np.ndarray, ys: np.ndarray) -> np.ndarray:
    """All pairs `(len(xs) * len(ys), 2)`, y the faster."""
    return np.stack([axis.ravel() for axis in np.meshgrid(xs, ys, indexing="ij")], axis=1)


def surface(
    member: Runs,
    directions: tuple[Tensors, Tensors],
    xs: np.ndarray,
    ys: np.ndarray,
    *,
    on: str,
    statistics: Statistics,
) -> Heights:
    """Loss and error at `w + x d1 + y d2`, `(len(xs), len(ys))`."""
    places = grid(xs, ys)
    table = np.concatenate([np.ones((len(places), 1)), places], axis=1)
    terms = (member.state, *(State(one, {}) for one in directions))
    found = heights(member, terms, table, on=on, statistics=statistics)
    shape = len(xs), len(ys)
    return Heights(found.loss.reshape(shape), found.error.reshape(shape))
