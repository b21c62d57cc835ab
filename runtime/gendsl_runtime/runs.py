"""Trained runs as analyses see them: a stack of members with their data."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from torch import Tensor

from gendsl_runtime.data import Dataset
from gendsl_runtime.network import Network, State, Tensors


@dataclass(frozen=True)
class Runs:
    """M trained members of one architecture, with data of one shape.

    A result for a member must not depend on which other members are in the stack: draw random numbers per member
    from `gendsl_runtime.random` with `seeds`, and use the ops of `train/layers.py` for anything of GEMM kind.
    """

    network: Network
    state: State
    data: tuple[Dataset, ...]
    """One for each member, often the same object repeated."""
    seeds: tuple[int, ...]
    """The seed of each member's training."""
    loss: Callable[[Tensor, Tensor], Tensor]
    """The training loss: outputs `(M, C, B)` and targets `(M, B)` to losses `(M, B)`."""
    history: tuple[Mapping[str, Tensor], ...] = ()
    """For each member: `epoch`, `train_loss`, `train_error`... `(epochs run,)`, as recorded while training."""
    steps: tuple[int, ...] = ()
    """Steps each member was trained for."""

    @property
    def members(self) -> int: ...

    def split(self, name: str) -> tuple[Tensor, Tensor]:
        """Inputs `(M, N, *shape)` and targets `(M, N)` or `(M, N, outputs)` of a split; `fit` is all trained on.

        Shared data are expanded, not copied.
        """
        ...

    def chunks(self, split: str) -> Iterator[tuple[Tensor, Tensor]]:
        """The same in pieces along N that fit the memory; evaluation in pieces gives the same bits as whole."""
        ...

    def outputs(self, inputs: Tensor, parameters: Tensors | None = None) -> Tensor:
        """Outputs `(M, C, N)` in evaluation mode, differentiable in `parameters` (the trained ones by default)."""
        ...

    def losses(self, inputs: Tensor, targets: Tensor, parameters: Tensors | None = None) -> Tensor:
        """Training losses `(M, N)` in evaluation mode, differentiable in `parameters`."""
        ...

    def mean_loss(self, split: str, parameters: Tensors | None = None) -> Tensor:
        """Mean training loss `(M,)` over a split, float64 accumulation, no gradient."""
        ...

    def accuracy(self, split: str, parameters: Tensors | None = None) -> Tensor:
        """Share of examples classified rightly `(M,)`."""
        ...
