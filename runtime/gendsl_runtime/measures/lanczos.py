"""Extreme eigenvalues of symmetric matrices known only by their products with vectors: Lanczos, made
trustworthy.

Three things go wrong with the textbook recurrence in floating-point arithmetic: without re-orthogonalisation
it returns copies of converged eigenvalues, with a single starting vector it cannot see that an eigenvalue is
repeated, and stopped too early it returns numbers that are no eigenvalues. Here every vector is
orthogonalised against all earlier ones, twice; the Rayleigh-Ritz values come from the whole projected matrix;
fresh directions are searched until they add nothing; and each value has its residual.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

Which = Literal["largest", "smallest", "magnitude"]
Product = Callable[[Tensor], Tensor]
"""`(members, size)` to `(members, size)`, each member with its own symmetric matrix."""
Start = Callable[[int], Tensor]
"""The start vector `(size,)` of a sweep, float64; any nonzero one."""


@dataclass(frozen=True)
class Search:
    """What is looked for, and how hard."""

    count: int
    iterations: int
    """Products at most, for one member."""
    tolerance: float
    """Residual at which a pair counts as converged, relative to the largest Ritz value in modulus."""
    which: Which = "largest"
    repeated: bool = True
    """Whether fresh directions are searched for further copies of an eigenvalue."""
    rounding: float = 1e-12
    """Error of a product, relative to the norm of the matrix: a remainder below it means that the space is
    closed."""


@dataclass(frozen=True)
class Pairs:
    """`count` Ritz pairs of one matrix: `values`, `residuals` `|A v - value v|`, and `vectors` `(count,
    size)`."""

    values: Tensor
    residuals: Tensor
    vectors: Tensor


class Krylov:
    """An orthonormal basis that grows by one vector a product, for one symmetric matrix `(size, size)`."""

    def __init__(self, search: Search, size: int, start: Start, device: torch.device | None = None) -> None:
        self._search, self._size, self._start = search, size, start
        rows = min(search.iterations, size)
        self._basis = torch.empty(rows, size, dtype=torch.float64, device=device)
        self._images = torch.empty(rows, size, dtype=torch.float64, device=device)
        self._projected = np.zeros((rows, rows))
        self._remainders: list[tuple[int, Tensor]] = []
        """What the image of the basis vector at a place has outside the space, where it was not followed."""
        self._followed = -1
        """Which of them is followed next."""
        self._used = 0
        self._sweep_start = 0
        self._sweep_length = 0
        self._before: Tensor | None = None
        self.is_finished = False
        """Whether nothing more is to be found within the number of products allowed."""
        self.is_complete = False
        """Whether the pairs converged and no further copy was found."""
        self.pairs = Pairs(*(torch.zeros(0),) * 3)
        self.direction = self._fresh()

    @property
    def products(self) -> int:
        return self._used

    def add(self, image: Tensor) -> None:
        """Takes the product of the matrix with `direction` and sets the next `direction`."""
        place = self._used
        self._basis[place], self._images[place] = self.direction, image
        self._used += 1
        basis = self._basis[: self._used]
        column = basis @ image
        self._projected[place, : self._used] = self._projected[: self._used, place] = column.cpu().numpy()
        rest = image - column @ basis
        rest -= (basis @ rest) @ basis
        norm = float(torch.linalg.vector_norm(rest))
        floor = self._search.rounding * float(np.linalg.norm(self._projected[: self._used, : self._used]))
        is_closed = norm <= floor or norm == 0
        for _, remainder in self._remainders:
            remainder -= self.direction * (self.direction @ remainder)
        if not is_closed:
            self._remainders.append((place, rest))
        self._followed = -1
        if self._is_due() or is_closed:
            self._judge()
        if not self.is_finished:
            is_fresh = is_closed or self._sweep_start == self._used
            self.direction = self._fresh() if is_fresh else self._next(floor)

    def _next(self, floor: float) -> Tensor:
        """The remainder to be followed, of length 1."""
        place, remainder = self._remainders.pop(self._followed)
        basis = self._basis[: self._used]
        if place != self._used - 1:  # since then orthogonalised once against each new vector
            remainder = remainder - (basis @ remainder) @ basis
        norm = float(torch.linalg.vector_norm(remainder))
        return remainder / norm if norm > floor else self._fresh()

    def _is_due(self) -> bool:
        """Whether the pairs may have converged, or the room is used up.

        The image of a Ritz vector leaves the space only through the remainders that were not followed and the
        last one: this takes few long vectors, and is exact but for rounding. A sweep that is as long as the first
        goes on with the remainder through which most is lost: that of an earlier sweep hardly lies in the space
        of a later one.
        """
        if self._used == len(self._basis):
            return True
        if self._used - self._sweep_start < max(self._sweep_length, 1) or self._used < self._search.count:
            return False
        if not self._remainders:
            return True
        values, rotation = np.linalg.eigh(self._projected[: self._used, : self._used])
        chosen = _order(values, self._search.which)[: self._search.count]
        left = torch.stack([remainder for _, remainder in self._remainders])
        weights = rotation[[place for place, _ in self._remainders]][:, chosen]
        inner = (left @ left.T).cpu().numpy()
        self._followed = int(np.argmax(abs(weights).max(1) * inner.diagonal() ** 0.5))
        squares = np.einsum("ik,ij,jk->k", weights, inner, weights)
        return bool((squares <= (self._search.tolerance * abs(values).max()) ** 2).all())

    def _judge(self) -> None:
        """Updates the pairs; converged, a sweep ends, and after a sweep that added nothing the search."""
        self.pairs = self._ritz()
        is_exhausted = self._used == self._size
        scale = self.scale
        is_converged = len(self.pairs.values) == min(self._search.count, self._size) and bool(
            (self.pairs.residuals <= self._search.tolerance * scale).all()
        )
        length = self._used - self._sweep_start
        if is_converged and (is_exhausted or length >= self._sweep_length):
            self.is_complete = is_exhausted or not self._search.repeated or self._is_settled(scale)
            self.is_finished = self.is_complete
            self._before = self.pairs.values
            self._sweep_length = max(self._sweep_length, length)
            self._sweep_start = self._used
        if self._used == len(self._basis):
            self.is_finished = True

    def _is_settled(self, scale: float) -> bool:
        before = self._before
        return before is not None and bool(
            ((self.pairs.values - before).abs() <= self._search.tolerance * scale).all()
        )

    @property
    def scale(self) -> float:
        """Largest modulus of a Ritz value."""
        return max(float(abs(self._ritz_values).max()), torch.finfo(torch.float64).tiny)

    def _ritz(self) -> Pairs:
        used = self._used
        self._ritz_values, rotation = np.linalg.eigh(self._projected[:used, :used])
        chosen = _order(self._ritz_values, self._search.which)[: self._search.count]
        weights = torch.from_numpy(rotation[:, chosen].T.copy()).to(self._basis)
        values = torch.from_numpy(self._ritz_values[chosen]).to(self._basis)
        vectors = weights @ self._basis[:used]
        residuals = (weights @ self._images[:used] - values[:, None] * vectors).norm(dim=1)
        return Pairs(values, residuals, vectors)

    def _fresh(self) -> Tensor:
        """A new start vector, orthogonal to the basis; streams that run out of room try the next one."""
        basis = self._basis[: self._used]
        for attempt in range(8):
            vector = torch.nn.functional.normalize(self._start(8 * self._used + attempt), dim=0)
            for _ in range(3):
                vector = vector - (basis @ vector) @ basis
            norm = float(torch.linalg.vector_norm(vector))
            if norm > 1e-8:
                return vector / norm
        raise ArithmeticError("eight random vectors lie in the span of the basis")


def _order(values: np.ndarray, which: Which) -> np.ndarray:
    keys = {"largest": -values, "smallest": values, "magnitude": -abs(values)}
    return np.argsort(keys[which], kind="stable")


def extreme_pairs(
    product_of: Callable[[list[int]], Product],
    starts: list[Start],
    *,
    size: int,
    search: Search,
    device: torch.device,
) -> list[Krylov]:
    """Ritz pairs of every member's matrix; `product_of(members)` gives the product of those members' matrices
    with `(members, size)`, in float64.

    Members advance together, each with its own basis, and stop on their own: the result of one does not
    depend on the others. Once half of them have stopped, the products are those of the rest alone.
    """
    spaces = [Krylov(search, size, start, device) for start in starts]
    idle = torch.zeros(size, dtype=torch.float64, device=device)
    members = list(range(len(spaces)))
    product = product_of(members)
    while left := [member for member in members if not spaces[member].is_finished]:
        if len(left) <= len(members) // 2:
            members = left
            product = product_of(members)
        directions = [idle if spaces[member].is_finished else spaces[member].direction for member in members]
        for member, image in zip(members, product(torch.stack(directions)), strict=True):
            if not spaces[member].is_finished:
                spaces[member].add(image)
    return spaces
