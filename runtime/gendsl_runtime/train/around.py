"""Networks that are another one with something done to it."""

from __future__ import annotations

from dataclasses import dataclass

from gendsl_runtime.network import Network


@dataclass(frozen=True)
class Around:
    """A network around an inner one, which takes, answers and draws what that one does."""

    inner: Network

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one example."""
        return self.inner.shape

    @property
    def outputs(self) -> int:
        """Classes, or target dimensions."""
        return self.inner.outputs

    @property
    def is_noisy(self) -> bool:
        """Whether training draws random numbers."""
        return self.inner.is_noisy
