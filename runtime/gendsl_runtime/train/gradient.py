"""Outputs, losses and gradients of one step: written out where every layer is, else by autograd."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from gendsl_runtime.network import Network, Tensors
from gendsl_runtime.noise import Noise
from gendsl_runtime.train.build import StackedLoss
from gendsl_runtime.train.layers.layer import Pass
from gendsl_runtime.train.layers.written import Chain, chain
from gendsl_runtime.train.slopes import Slopes, closed_form, differentiated


@dataclass(frozen=True)
class Found:
    """What a step is taken from."""

    outputs: Tensor
    """`(M, C, B)`, in memory of their own."""
    losses: Tensor
    """`(M, B)`."""
    gradients: Sequence[Tensor]
    """Of each member's mean loss over its batch, in the order of the parameters."""
    buffers: Tensors


Gradient = Callable[[Tensors, Tensor, Tensor, "Noise | None"], Found]
"""`gradient(buffers, inputs, targets, noise)`, from the parameters as they are now."""


def gradient(network: Network, loss: StackedLoss, parameters: Tensors, into: Tensors) -> Gradient:
    """How the gradient of a stack is found; that does not depend on how many members there are.

    Args:
        network: what is trained.
        loss: of the stack.
        parameters: views of the values that will change from step to step.
        into: contiguous memory for their gradients; those of `autograd` lie elsewhere.
    """
    network = getattr(network, "trained", None) or network
    by_hand = chain(network)
    if by_hand is not None:
        closed = closed_form(loss)
        return Written(by_hand, closed or differentiated(loss), parameters, into, closed is not None)
    leaves = {name: value.detach().requires_grad_() for name, value in parameters.items()}
    return Differentiated(network, loss, leaves)


@dataclass(frozen=True)
class Written:
    """Layers in closed form."""

    chain: Chain
    slopes: Slopes
    parameters: Tensors
    into: Tensors
    is_graphless: bool
    """Whether the loss is in closed form too."""

    def __call__(self, buffers: Tensors, inputs: Tensor, targets: Tensor, noise: Noise | None) -> Found:
        values = Pass(self.parameters, buffers, training=True, noise=noise)
        stacks = self.chain.push(values, inputs)
        losses, slopes = self.slopes(stacks[-1], targets)
        self.chain.pull(values, stacks, slopes, self.into)
        gradients = tuple(self.into.values())
        return Found(stacks[-1], losses, gradients, buffers | values.updates)


@dataclass(frozen=True)
class Differentiated:
    """Anything else: one graph a step. `leaves` share their memory with the parameters."""

    network: Network
    loss: StackedLoss
    leaves: Tensors

    def __call__(self, buffers: Tensors, inputs: Tensor, targets: Tensor, noise: Noise | None) -> Found:
        with torch.enable_grad():
            outputs, buffers = self.network.apply(self.leaves, buffers, inputs, training=True, noise=noise)
            losses = self.loss(outputs, targets)
        mean = torch.full_like(losses, 1 / losses.shape[1], requires_grad=False)
        # A network may leave some of its values out of a step.
        found = torch.autograd.grad(
            losses, list(self.leaves.values()), mean, allow_unused=True, materialize_grads=True
        )
        return Found(outputs.detach(), losses.detach(), found, buffers)
