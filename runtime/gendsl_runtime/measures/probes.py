"""Traces, norms and diagonals of matrices known by their products, from random probes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gendsl_runtime.measures.lanczos import Product
from gendsl_runtime.problem import Problem
from gendsl_runtime.random import generator


def rademacher(purpose: str, seeds: Sequence[int], size: int, index: int) -> Tensor:
    """Signs `(members, size)`, float64, each member's from its own stream."""
    drawn = [
        generator(purpose, seed, index).integers(0, 2, size, dtype=np.int8) * 2.0 - 1.0 for seed in seeds
    ]
    return torch.from_numpy(np.stack(drawn))


def check_probes(probes: int) -> None:
    """Raises Problem where there are too few probes for a standard error."""
    if probes < 2:
        raise Problem("out-of-range", "one probe has no standard error", help="probes=2 or more")


@dataclass(frozen=True)
class Estimate:
    """A mean over independent probes and its standard error, one for each member."""

    value: Tensor
    error: Tensor


def mean(samples: Tensor) -> Estimate:
    """From samples `(members, probes)`; a member at a time, since sums along a row may round by the number of rows."""
    rows = [row.clone() for row in samples]
    deviation = torch.stack([row.std() for row in rows])
    return Estimate(torch.stack([row.mean() for row in rows]), deviation / math.sqrt(samples.shape[1]))


def dots(left: Tensor, right: Tensor) -> Tensor:
    """Inner products of the rows `(members, size)`, member by member: a sum of a stack may round by its size."""
    return torch.stack([one @ other for one, other in zip(left, right, strict=True)])


def images(
    product: Product, purpose: str, seeds: Sequence[int], size: int, probes: int, device: torch.device
) -> Iterator[tuple[Tensor, Tensor]]:
    """Probes and their products, one after the other."""
    for index in range(probes):
        probe = rademacher(purpose, seeds, size, index).to(device)
        yield probe, product(probe)


def hutch_pp(
    product: Product, purpose: str, seeds: Sequence[int], size: int, products: int, device: torch.device
) -> Estimate:
    """Traces by Hutch++ (Meyer et al. 2021, algorithm 1): a third of the products sketches the range Q, a third
    gives the trace there exactly, and Hutchinson's estimate takes what is orthogonal to it, with two probes at least:
    two or three products are all Hutchinson's."""
    rank = min(products // 3, (products - 2) // 2, size)
    if rank == 0:
        seen = images(product, purpose, seeds, size, products, device)
        return mean(torch.stack([dots(probe, image) for probe, image in seen], dim=1))
    sketch = torch.stack(
        [image for _, image in images(product, f"{purpose}.sketch", seeds, size, rank, device)], dim=2
    )
    basis = [torch.linalg.qr(columns)[0] for columns in sketch]
    inside = torch.zeros(len(seeds), dtype=torch.float64, device=device)
    for column in range(rank):
        vector = torch.stack([q[:, column] for q in basis])
        inside += dots(vector, product(vector))
    outside = []
    for index in range(products - 2 * rank):
        probe = _without(rademacher(purpose, seeds, size, index).to(device), basis)
        outside.append(dots(probe, product(probe)))
    rest = mean(torch.stack(outside, dim=1))
    return Estimate(inside + rest.value, rest.error)


def _without(vectors: Tensor, basis: Sequence[Tensor]) -> Tensor:
    return torch.stack([v - q @ (q.T @ v) for v, q in zip(vectors, basis, strict=True)])


def columns(product: Product, members: int, size: int, device: torch.device) -> Iterator[Tensor]:
    """All columns of the matrices, `(members, size)` each: as many products as there are parameters."""
    for place in range(size):
        unit = torch.zeros(members, size, dtype=torch.float64, device=device)
        unit[:, place] = 1.0
        yield product(unit)
