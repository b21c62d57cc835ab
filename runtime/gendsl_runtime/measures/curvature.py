"""Curvature matrices of the mean loss over a whole split, known by their products with vectors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Literal

import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

from gendsl_runtime.measures import vectors
from gendsl_runtime.measures.hessian import RETAINED, graph_size, hessian_product
from gendsl_runtime.measures.lanczos import Krylov, Product, Search, Start, extreme_pairs
from gendsl_runtime.measures.outputs import Linearised, Through, linearised, weights
from gendsl_runtime.random import generator
from gendsl_runtime.runs import CACHE, Runs

MEMORY = 2**30
"""Bytes of basis vectors kept at once; larger stacks are taken in parts."""

Operator = Literal["hessian", "ggn", "fisher", "empirical_fisher"]
"""Matrices over all parameters w, each a mean over the N examples of a split:

- `hessian`: `d^2/dw^2 l(f_w(x), y)`.
- `ggn`: `J^T (d^2 l/df^2) J` with J = df/dw, the generalised Gauss-Newton matrix (Schraudolph 2002).
- `fisher`: `E_y[s s^T]`, s = `d/dw log p(y | f_w(x))` with y drawn from the model: the softmax of the outputs, or
  for a regression the normal distribution whose -log p is the mean squared error (variance outputs / 2). The
  expectation is exact (then also `-E_y[d^2/dw^2 log p]`, the `type-2` Fisher of other software, and the GGN of
  the log loss) or taken over labels drawn (`s s^T`, `type-1`).
- `empirical_fisher`: `g g^T`, g = `d/dw l(f_w(x), y)` with the labels of the data.
"""


def curvature_product(runs: Runs, *, on: str, operator: Operator, samples: int = 0) -> Product:
    """The map `v -> A v` over all examples of a split, evaluation mode, sums in float64, divided by N once.

    `samples` labels are drawn for each example (`fisher` alone), 0 takes the expectation.
    """
    if operator == "hessian":
        return hessian_product(runs, on=on)
    return _through_outputs(runs, on, operator, samples)


def _through_outputs(runs: Runs, on: str, operator: Through, samples: int) -> Product:
    examples = runs.split(on)[0].shape[1]
    pieces = [_maker(runs, x, y, operator, samples, i) for i, (x, y) in enumerate(runs.chunks(on))]
    first, saved = _weighed(pieces[0])
    kept = [first, *(make() for make in pieces[1:])] if saved * len(pieces) <= RETAINED else []
    del first

    def product(direction: Tensor) -> Tensor:
        total = torch.zeros_like(direction, dtype=torch.float64)
        for piece in kept or (make() for make in pieces):
            total += piece.product(direction)
        return total / examples

    return product


def _maker(
    runs: Runs, inputs: Tensor, targets: Tensor, operator: Through, samples: int, chunk: int
) -> Callable[[], Linearised]:
    weigh_of = weights(runs, targets, operator=operator, samples=samples, chunk=chunk)
    return lambda: linearised(runs, inputs, weigh_of)


def _weighed(make: Callable[[], Linearised]) -> tuple[Linearised, int]:
    """What is made, and the bytes that its graph keeps."""
    sizes: list[int] = []

    def seen(tensor: Tensor) -> Tensor:
        sizes.append(tensor.numel() * tensor.element_size())
        return tensor

    with saved_tensors_hooks(seen, lambda tensor: tensor):
        made = make()
    return made, sum(sizes)


def gradient(runs: Runs, *, on: str) -> Tensor:
    """Gradient of the mean loss over a split, `(members, size)`, float64."""
    leaves = {name: tensor.detach().requires_grad_() for name, tensor in runs.state.parameters.items()}
    total = torch.zeros(runs.members, vectors.size(leaves), dtype=torch.float64, device=runs.device)
    for inputs, targets in runs.chunks(on):
        with torch.enable_grad():
            found = torch.autograd.grad(
                runs.losses(inputs, targets, leaves).sum(),
                list(leaves.values()),
                allow_unused=True,
                materialize_grads=True,
            )
        total += vectors.flat(dict(zip(leaves, found, strict=True))).double()
    return total / runs.split(on)[0].shape[1]


def parts(runs: Runs, *, on: str, rows: int) -> Iterator[Runs]:
    """The stack in parts whose vectors, `rows` a member in float64, fit the memory set aside, and whose graphs fit
    the cache.

    Second derivatives of grouped convolutions round by the number of groups: there each member goes alone.
    """
    if runs.members == 1:
        return iter((runs,))
    size = vectors.size(runs.state.parameters)
    step = max(1, min(MEMORY // (8 * size * rows), int(CACHE // graph_size(runs, on=on))))
    if any(tensor.ndim > 3 for tensor in runs.state.parameters.values()):
        step = 1
    return (runs.select(range(i, min(i + step, runs.members))) for i in range(0, runs.members, step))


def top_spaces(
    runs: Runs,
    search: Search,
    *,
    on: str,
    operator: Operator,
    samples: int = 0,
    purpose: str = "hessian_top",
    within: slice | None = None,
) -> list[Krylov]:
    """Extreme pairs of every member's matrix, or of its block of the parameters `within`."""
    size = vectors.size(runs.state.parameters)
    block = range(size)[within] if within is not None else range(size)

    def product_of(part: Runs, members: Sequence[int]) -> Product:
        whole = curvature_product(part.select(members), on=on, operator=operator, samples=samples)
        return whole if len(block) == size else blockwise(whole, block, size)

    spaces: list[Krylov] = []
    rows = 2 * min(search.iterations, len(block))
    for part in parts(runs, on=on, rows=rows):
        starts = [_start(purpose, seed, len(block), runs.device) for seed in part.seeds]
        spaces += extreme_pairs(
            lambda members, part=part: product_of(part, members),  # type: ignore[misc]
            starts,
            size=len(block),
            search=search,
            device=runs.device,
        )
    return spaces


def blockwise(product: Product, block: range, size: int) -> Product:
    """The product of the diagonal block of a matrix at these places."""

    def within(direction: Tensor) -> Tensor:
        whole = direction.new_zeros(len(direction), size)
        whole[:, block.start : block.stop] = direction
        return product(whole)[:, block.start : block.stop]

    return within


def rounding(runs: Runs) -> float:
    """A hundred units in the last place: what a product may be wrong by."""
    return 100 * max(torch.finfo(tensor.dtype).eps for tensor in runs.state.parameters.values())


def is_converged(space: Krylov, search: Search) -> Tensor:
    """1 where the residual is small and, if copies are searched for, the search ended."""
    small = space.pairs.residuals <= search.tolerance * space.scale
    return (small & (space.is_complete or not search.repeated)).long()


def _start(purpose: str, seed: int, size: int, device: torch.device) -> Start:
    return lambda sweep: torch.from_numpy(generator(purpose, seed, sweep).standard_normal(size)).to(device)
