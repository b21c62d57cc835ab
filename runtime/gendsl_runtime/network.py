"""What a model is to the engine: a network for a whole stack of members.

Every parameter has a leading member axis, M >= 1; a solo run is a stack of one, on the same path.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

Tensors = dict[str, Tensor]
"""Named tensors, each `(members, ...)`."""


@dataclass(frozen=True)
class State:
    """What training changes: `parameters` by gradient, `buffers` (running statistics) by the forward pass."""

    parameters: Tensors
    buffers: Tensors

    def member(self, index: int) -> State:
        """The state of one member, still with a leading axis of length 1."""
        ...

    def select(self, members: Sequence[int] | Tensor) -> State:
        """The states of some members, in that order."""
        ...


class Network(Protocol):
    """A model component returns one of these."""

    shape: tuple[int, ...]
    """Shape of one example."""
    outputs: int

    def init(self, seeds: Sequence[int]) -> State:
        """Fresh states, one for each seed; a member's values depend on its own seed alone."""
        ...

    def apply(self, parameters: Tensors, buffers: Tensors, inputs: Tensor, *, training: bool) -> tuple[Tensor, Tensors]:
        """Outputs `(members, outputs, examples)` for inputs `(members, examples, *shape)`, and the new buffers."""
        ...
