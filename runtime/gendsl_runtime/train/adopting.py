"""Networks that can start from a run of another kind of network."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from gendsl_runtime.network import State


@runtime_checkable
class Adopting(Protocol):
    """A network that can start from the state of another kind of network."""

    def adopt(self, init: State, fresh: State, seed: int) -> State:
        """A state of this network that starts from another run's; `fresh` is how the member, of that seed, would start
        without."""
        ...
