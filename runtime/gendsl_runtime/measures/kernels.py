"""What kernels have in common: which one, of which examples, its targets, how alike two are, regression with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from gendsl_runtime.measures import infinite
from gendsl_runtime.measures.tangent import Of, needs_one_place, tangent_kernel
from gendsl_runtime.runs import Runs

Kind = Literal["empirical", "ntk", "nngp"]


def in_float64(runs: Runs) -> Runs:
    """The same runs, values and data in float64."""
    return replace(runs, state=runs.state.to(runs.device, torch.float64))


def members(runs: Runs) -> Iterator[Runs]:
    """Each member alone, in float64: what is computed of it depends on nothing else."""
    for place in range(runs.members):
        yield in_float64(runs.select([place]))


def first(runs: Runs, split: str, examples: int | None) -> tuple[Tensor, Tensor]:
    """Inputs `(M, N, *shape)` and targets of the first examples of a split."""
    inputs, targets = runs.split(split)
    return inputs[:, :examples], targets[:, :examples]


def kernel(
    member: Runs, inputs: Tensor, others: Tensor | None = None, *, kind: Kind, of: Of = "trace"
) -> Tensor:
    """`(N, N')`, of one member in float64: its own tangent kernel, or one of its kind at infinite width.

    A kernel of infinite width is the same for every output and zero between two: so is its trace.
    """
    if kind == "empirical":
        return tangent_kernel(member, inputs, others, of=of)
    found = infinite.kernels(member.network, inputs[0], (inputs if others is None else others)[0])
    return found.ntk if kind == "ntk" else found.nngp


def regression_targets(member: Runs, targets: Tensor, *, is_centred: bool = True) -> Tensor:
    """Targets `(1, N)` of one member as numbers `(N, outputs)`; classes are one-hot vectors, less `1 / C`
    where centred (Lee et al. 2018, section 3)."""
    needs_one_place(member)
    if targets.is_floating_point():
        return targets[0].reshape(targets.shape[1], -1)
    classes = member.network.outputs
    return one_hot(targets[0], classes).double() - (1 / classes if is_centred else 0.0)


def alignment(left: Tensor, right: Tensor) -> Tensor:
    """`<K, L>_F / (|K|_F |L|_F)` of kernels `(N, N)` (Cristianini et al. 2001)."""
    found: Tensor = (left * right).sum() / (left.norm() * right.norm())
    return found


def centred(kernel: Tensor) -> Tensor:
    """`H K H` with `H = I - 1/N` (Cortes, Mohri and Rostamizadeh 2012)."""
    return kernel - kernel.mean(0, keepdim=True) - kernel.mean(1, keepdim=True) + kernel.mean()


@dataclass(frozen=True)
class Solved:
    """Kernel regression on some examples."""

    weights: Tensor
    """`(K + jitter I)^-1 Y`, `(N, outputs)`."""
    condition: float
    """Largest over smallest eigenvalue of what was inverted."""


def solved(gram: Tensor, targets: Tensor, *, ridge: float) -> Solved:
    """Regression with a kernel `(N, N)` and `ridge` times its mean diagonal entry added to the diagonal.

    By eigenvalues, those below N eps times the largest one left out: with no ridge the interpolator of least
        norm.
    """
    values, vectors = torch.linalg.eigh(gram)
    shifted = values + ridge * gram.diagonal().mean()
    largest = float(shifted[-1])
    kept = shifted > len(gram) * torch.finfo(gram.dtype).eps * largest
    inverse = torch.where(kept, 1 / torch.where(kept, shifted, 1.0), 0.0)
    weights = vectors @ (inverse[:, None] * (vectors.T @ targets))
    smallest = float(shifted[0])
    return Solved(weights, largest / smallest if smallest > 0 else float("inf"))
