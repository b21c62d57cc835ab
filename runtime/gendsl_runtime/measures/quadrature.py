"""Spectra of matrices known by their products: Gauss quadrature by Lanczos from random starts (Ubaru, Chen and Saad
2017), for a whole stack at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gendsl_runtime.measures.lanczos import Product


@dataclass(frozen=True)
class Rule:
    """`v^T f(A) v / |v|^2` is about `sum(weights f(nodes))`, exactly so for polynomials of degree below twice the
    number of nodes."""

    nodes: np.ndarray
    weights: np.ndarray
    norm: float
    """`|v|^2`."""

    def mean(self, f: Callable[[np.ndarray], np.ndarray]) -> float:
        is_seen = self.weights > 0  # f may be infinite where nothing is
        return float(self.weights[is_seen] @ f(self.nodes[is_seen]))


class _Chain:
    """Lanczos from one start `(size,)`, every vector orthogonalised twice against all earlier ones."""

    def __init__(self, start: Tensor, steps: int, rounding: float) -> None:
        norm = start.norm()
        self._norm = float(norm) ** 2
        self._basis = torch.empty(
            min(steps, len(start)), len(start), dtype=torch.float64, device=start.device
        )
        self._basis[0] = start / norm.clamp_min(torch.finfo(torch.float64).tiny)
        self._rounding = rounding
        self._diagonal: list[float] = []
        self._beside: list[float] = []
        self.is_finished = self._norm == 0.0

    @property
    def direction(self) -> Tensor:
        return self._basis[min(len(self._diagonal), len(self._basis) - 1)]

    def add(self, image: Tensor) -> None:
        place = len(self._diagonal)
        basis = self._basis[: place + 1]
        self._diagonal.append(float(self._basis[place] @ image))
        rest = image - (basis @ image) @ basis
        rest -= (basis @ rest) @ basis
        beside = float(rest.norm())
        scale = np.linalg.norm([*self._diagonal, *self._beside])
        if place + 1 == len(self._basis) or beside <= self._rounding * scale or beside == 0.0:
            self.is_finished = True
        else:
            self._beside.append(beside)
            self._basis[place + 1] = rest / beside

    def rule(self) -> Rule:
        if not self._diagonal:
            return Rule(np.zeros(1), np.ones(1), self._norm)
        size = len(self._diagonal)
        beside = np.array(self._beside[: size - 1])
        matrix = np.diag(self._diagonal) + np.diag(beside, 1) + np.diag(beside, -1)
        nodes, rotation = np.linalg.eigh(matrix)
        return Rule(nodes, rotation[0] ** 2, self._norm)


def rules(product: Product, starts: Tensor | Sequence[Tensor], *, steps: int, rounding: float) -> list[Rule]:
    """A rule for each member, from its start vector `(size,)`; all members' products are taken together."""
    chains = [_Chain(start, steps, rounding) for start in starts]
    while not all(chain.is_finished for chain in chains):
        for chain, image in zip(chains, product(torch.stack([c.direction for c in chains])), strict=True):
            if not chain.is_finished:
                chain.add(image)
    return [chain.rule() for chain in chains]


def smoothed(rule: Rule, places: np.ndarray, width: float) -> np.ndarray:
    """Density of the rule convolved with a normal density of this standard deviation, at `places`."""
    distance = (places[:, None] - rule.nodes[None, :]) / width
    density: np.ndarray = np.exp(-0.5 * distance**2) @ rule.weights / (width * np.sqrt(2 * np.pi))
    return density
