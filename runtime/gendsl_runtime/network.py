"""What a model is to the engine: a network for a whole stack of members.

Every parameter has a leading member axis, M >= 1; a solo run is a stack of one, on the same path.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from gendsl_runtime.noise import Noise
from gendsl_runtime.numerics import single_thread

single_thread()

Tensors = dict[str, Tensor]
"""Named tensors, each `(members, ...)`."""


@dataclass(frozen=True)
class State:
    """What training changes: `parameters` by gradient, `buffers` (running statistics) by the forward pass."""

    parameters: Tensors
    buffers: Tensors

    @property
    def members(self) -> int:
        return len(next(iter(self.parameters.values())))

    def member(self, index: int) -> State:
        """The state of one member, still with a leading axis of length 1."""
        return self._each(lambda tensor: tensor[index : index + 1].clone())

    def select(self, members: Sequence[int] | Tensor) -> State:
        """The states of some members, in that order."""
        return self._each(
            lambda tensor: tensor.index_select(0, torch.as_tensor(members, device=tensor.device))
        )

    def to(self, device: torch.device | str, dtype: torch.dtype | None = None) -> State:
        """The same values on another device, or in another precision."""
        return self._each(lambda tensor: tensor.to(device=device, dtype=dtype))

    def _each(self, change: Callable[[Tensor], Tensor]) -> State:
        return State(
            {name: change(tensor) for name, tensor in self.parameters.items()},
            {name: change(tensor) for name, tensor in self.buffers.items()},
        )


def joined(states: Sequence[State]) -> State:
    """One stack of the given stacks, in order."""
    first = states[0]
    return State(
        {name: torch.cat([state.parameters[name] for state in states]) for name in first.parameters},
        {name: torch.cat([state.buffers[name] for state in states]) for name in first.buffers},
    )


class Network(Protocol):
    """A model component returns one of these."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one example."""
        ...

    @property
    def outputs(self) -> int:
        """Classes, or target dimensions."""
        ...

    @property
    def is_noisy(self) -> bool:
        """Whether training draws random numbers (dropout)."""
        ...

    def init(self, seeds: Sequence[int]) -> State:
        """Fresh states, one for each seed; a member's values depend on its own seed alone."""
        ...

    def apply(
        self,
        parameters: Tensors,
        buffers: Tensors,
        inputs: Tensor,
        *,
        training: bool,
        noise: Noise | None = None,
    ) -> tuple[Tensor, Tensors]:
        """Outputs `(members, outputs, examples)` for inputs `(members, examples, *shape)`, and the new
        buffers. `noise` is given in training to a network that is noisy."""
        ...
