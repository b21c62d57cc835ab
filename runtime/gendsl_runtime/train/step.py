"""The step that all members of a stack take together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from gendsl_runtime.network import Network, Tensors
from gendsl_runtime.noise import Noise
from gendsl_runtime.train.build import StackedLoss
from gendsl_runtime.train.count import Count
from gendsl_runtime.train.flat import Layout, rows
from gendsl_runtime.train.gradient import Found, Gradient, Written, gradient
from gendsl_runtime.train.layers.layer import PLAIN_RATES, Rated
from gendsl_runtime.train.optimizer import Optimizer, norms

FEW = 8
"""Values up to which an optimizer goes through them one by one rather than gathering their gradients."""


@dataclass(frozen=True)
class Part:
    """Columns of the stack's matrices: parameters, gradients and slots, each `(M, n)`."""

    parameters: Tensor
    gradients: Tensor
    slots: tuple[Tensor, ...]


@dataclass(frozen=True)
class Step:
    """One step of a stack, with the memory it needs."""

    optimizer: Optimizer
    gradient: Gradient
    whole: Tensor | None
    """Where gradients are gathered `(M, P)`; None where they lie in the parts already."""
    parts: Sequence[Part]
    factors: Tensor | None = None
    """Of the learning rate of each value `(1, P)`, where they are not all one."""

    @property
    def is_graphless(self) -> bool:
        """Whether no graph is ever built."""
        return isinstance(self.gradient, Written) and self.gradient.is_graphless

    def __call__(
        self,
        buffers: Tensors,
        inputs: Tensor,
        targets: Tensor,
        noise: Noise | None,
        rate: Tensor,
        number: int | Count,
    ) -> Found:
        """Take step `number`, counted from 1, with the learning rates `(M, 1)`."""
        found = self._found(buffers, inputs, targets, noise, rate)
        if self.optimizer.clip is not None:
            clip(self.parts[0].gradients, self.optimizer.clip)
        if self.factors is not None:
            rate = rate * self.factors
        for part in self.parts:
            self.optimizer.update(part.parameters, part.gradients, part.slots, rate, number)
        return found

    def _found(
        self, buffers: Tensors, inputs: Tensor, targets: Tensor, noise: Noise | None, rate: Tensor
    ) -> Found:
        """What is found at the parameters, with the gradients of the step in the parts."""
        examples = targets.shape[1]
        count = min(self.optimizer.blocks, examples)
        if count == 1:
            return self._corrected(buffers, inputs, targets, noise, rate)
        gradients = self.parts[0].gradients
        total = torch.zeros_like(gradients)
        blocks: list[Found] = []
        pieces = (values.tensor_split(count, 1) for values in (inputs, targets))
        for place, (some, their) in enumerate(zip(*pieces, strict=True)):
            own = None if noise is None else noise.part(place)
            blocks.append(self._corrected(buffers, some, their, own, rate))
            buffers = blocks[-1].buffers
            total.add_(gradients, alpha=their.shape[1] / examples)
        gradients.copy_(total)
        outputs, losses = (torch.cat(values, -1) for values in zip(*((b.outputs, b.losses) for b in blocks)))
        return Found(outputs, losses, (), buffers)

    def _corrected(
        self, buffers: Tensors, inputs: Tensor, targets: Tensor, noise: Noise | None, rate: Tensor
    ) -> Found:
        """The same for examples that are looked at together."""
        found = self._gradients(buffers, inputs, targets, noise)
        if self.optimizer.correction is not None:
            values, gradients = self.parts[0].parameters, self.parts[0].gradients

            def there(moved: Tensor) -> Tensor:
                kept = values.clone()
                values.add_(moved)
                self._gradients(buffers, inputs, targets, noise)
                values.copy_(kept)
                return gradients

            gradients.copy_(self.optimizer.correction(values, gradients, there, rate))
        return found

    def _gradients(self, buffers: Tensors, inputs: Tensor, targets: Tensor, noise: Noise | None) -> Found:
        """What is found at the parameters, with its gradients in the parts."""
        found = self.gradient(buffers, inputs, targets, noise)
        if self.whole is not None:
            rows(found.gradients, out=self.whole)
        return found


def step(
    network: Network,
    layout: Layout,
    parameters: Tensor,
    slots: tuple[Tensor, ...],
    optimizer: Optimizer,
    loss: StackedLoss,
) -> Step:
    """The step of a stack with these parameters and slots `(M, P)`, which it changes in place.

    Gradients are written where they are needed. Of one member, that is its row of the matrix. Of several, a
    row is no place for a product; few of them are handed to the optimizer one by one, many are gathered.
    Neither changes a bit, because an optimizer that allows it treats every value for itself.
    """
    matrix = torch.empty_like(parameters)
    whole = Part(parameters, matrix, slots)
    is_alone = len(parameters) == 1
    blocks = layout.views(matrix) if is_alone else layout.blocks(parameters)
    found = gradient(network, loss, layout.views(parameters), blocks)
    factors = _factors(network, layout, parameters, is_adaptive=optimizer.is_adaptive)
    if not isinstance(found, Written):
        return Step(optimizer, found, matrix, (whole,), factors)
    if is_alone:
        return Step(optimizer, found, None, (whole,), factors)
    is_plain = optimizer.clip is None and optimizer.correction is None and optimizer.blocks == 1
    is_apart = factors is None and optimizer.is_pointwise and is_plain
    if len(blocks) > FEW or not is_apart:
        return Step(optimizer, found, matrix, (whole,), factors)
    columns = [layout.columns(values) for values in (parameters, *slots)]
    parts = [
        Part(own, block.flatten(1), tuple(rest))
        for (own, *rest), block in zip(zip(*columns, strict=True), blocks.values(), strict=True)
    ]
    return Step(optimizer, found, None, parts)


def _factors(network: Network, layout: Layout, like: Tensor, *, is_adaptive: bool) -> Tensor | None:
    """Factors of the learning rate `(1, P)`; None where all are one."""
    rates = network.rates() if isinstance(network, Rated) else {}
    known = [rates.get(name, PLAIN_RATES) for name in layout.names]
    factors = [rate.adaptive if is_adaptive else rate.proportional for rate in known]
    if all(factor == 1.0 for factor in factors):
        return None
    values = [
        like.new_full((1, *shape), factor) for shape, factor in zip(layout.shapes, factors, strict=True)
    ]
    return rows(values)


def clip(gradients: Tensor, largest: Tensor) -> None:
    """Scale each member's gradient `(M, P)` down to a Euclidean norm of at most `largest` `(M,)`, in place.

    As `torch.nn.utils.clip_grad_norm_`, whose 1e-6 keeps a zero gradient from dividing by zero.
    """
    gradients.mul_((largest / (norms(gradients) + 1e-6)).clamp(max=1.0)[:, None])
