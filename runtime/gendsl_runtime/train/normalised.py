"""A network whose outputs are divided by the norms of its weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from gendsl_runtime.network import Network, State, Tensors
from gendsl_runtime.noise import Noise
from gendsl_runtime.train.adopting import Adopting
from gendsl_runtime.train.around import Around
from gendsl_runtime.train.layers.layer import Rated, Rates
from gendsl_runtime.train.optimizer import norms


@dataclass(frozen=True)
class Normalised(Around):
    """`f(x) / prod_l (|W_l| / norm)` over all weights; offsets, scales of norms and buffers are the inner network's."""

    norm: float
    is_always: bool
    """Whether also in training; else in evaluation alone."""

    @property
    def trained(self) -> Network | None:
        """The network that gradients are taken of, where it is another one."""
        return None if self.is_always else self.inner

    def init(self, seeds: Sequence[int]) -> State:
        """As the inner network starts."""
        return self.inner.init(seeds)

    def rates(self) -> dict[str, Rates]:
        """Factors of the learning rate of each parameter, those of the inner network."""
        return self.inner.rates() if isinstance(self.inner, Rated) else {}

    def adopt(self, init: State, fresh: State, seed: int) -> State:
        """As the inner network starts from another run."""
        return self.inner.adopt(init, fresh, seed) if isinstance(self.inner, Adopting) else init

    def apply(
        self,
        parameters: Tensors,
        buffers: Tensors,
        inputs: Tensor,
        *,
        training: bool,
        noise: Noise | None = None,
    ) -> tuple[Tensor, Tensors]:
        """Outputs `(members, outputs, examples)` for inputs `(members, examples, *shape)`, and the new buffers."""
        outputs, after = self.inner.apply(parameters, buffers, inputs, training=training, noise=noise)
        if training and not self.is_always:
            return outputs, after
        factor = factors(parameters, self.norm)
        return outputs / factor.view(-1, *(1,) * (outputs.ndim - 1)), after


def factors(parameters: Tensors, norm: float) -> Tensor:
    """`prod_l |W_l| / norm` of each member `(M,)`, over the values of at least two sides; Euclidean norms."""
    weights = [value for value in parameters.values() if value.ndim > 2]
    first, *rest = (norms(weight.flatten(1)) / norm for weight in weights)
    for factor in rest:
        first = first * factor
    return first
