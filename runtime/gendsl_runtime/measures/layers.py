"""What the layers of a network see: representations, and per-example gradients by their two factors.

A layer with the weight W acts as `y_p = factor W x_p + bias_factor b` at each place p of an example (a dense
layer has one place, a convolution one for each pixel it gives). With the slopes `d_p = dv / dy_p` of a number
v of the example, `dv/dW = factor sum_p d_p x_p^T` and `dv/db = bias_factor sum_p d_p`: the inputs and the
slopes are all there is to know, and are far smaller than gradients. Networks are in evaluation mode.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor
from torch.nn.functional import pad

from gendsl_runtime.network import Network, Tensors
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import BLOCK, Runs
from gendsl_runtime.train.layers.conv import Conv
from gendsl_runtime.train.layers.embedding import Positions
from gendsl_runtime.train.layers.layer import Layer, Layered, Pass, feature_major
from gendsl_runtime.train.layers.layer_norm import LayerNorm
from gendsl_runtime.train.layers.linear import NTK_BIAS, Linear
from gendsl_runtime.train.layers.norm import BatchNorm, GroupNorm
from gendsl_runtime.train.layers.residual import Residual
from gendsl_runtime.train.layers.sequence import EachStep

NORMS = (BatchNorm, GroupNorm, LayerNorm)


# --- representations ----------------------------------------------------------------------------------------


@torch.no_grad()
def hidden(runs: Runs, inputs: Tensor, *, is_flat: bool = True) -> Tensors:
    """What each layer hands on to the next, in evaluation mode, by the name of the layer.

    A layer here is one with weights, together with what follows it up to the next one: its norm, activation
    and pooling; a residual block is one layer. The last entry are the outputs.

    Args:
        inputs: `(members, examples, *shape)`.
        is_flat: images and sequences as one vector an example; else as they are.

    Returns:
        `(members, features, examples)` for each layer; where not flat `(members, channels, height, width,
        examples)` for images and `(members, features, steps, examples)` for sequences. Example i has the same
        bits whenever its block of 512 examples has.
    """
    pieces = [_hidden(runs, block) for block in torch.split(inputs, BLOCK, dim=1)]
    found = {name: torch.cat([piece[name] for piece in pieces], dim=-1) for name in pieces[0]}
    return _flat(found) if is_flat else found


def graph_of(runs: Runs, inputs: Tensor) -> Tensors:
    """The same, flat, of one block of examples, differentiable in the inputs."""
    with torch.enable_grad():
        return _flat(_hidden(runs, inputs))


def _flat(found: Tensors) -> Tensors:
    return {name: value.reshape(len(value), -1, value.shape[-1]) for name, value in found.items()}


def layer_names(network: Network) -> tuple[str, ...]:
    """The layers that `hidden` tells of, in its order."""
    return tuple(dict.fromkeys(name for name in map(_name, layered(network).layers) if name))


def _hidden(runs: Runs, inputs: Tensor) -> Tensors:
    values = Pass(runs.state.parameters, runs.state.buffers, training=False)
    found, stack, current = {}, feature_major(inputs), None
    for layer in layered(runs.network).layers:
        current = _name(layer) or current
        stack = values.through(layer, stack)
        if current is not None:
            found[current] = stack
    return found


def _name(layer: Layer) -> str | None:
    """The name of a layer that is more than a part of the one before; what its values' names have in common."""
    if isinstance(layer, (*NORMS, Positions)):
        return None
    parts = [name.split(".")[:-1] for name in {**layer.parameters(), **layer.buffers()}]
    shared = [same[0] for same in zip(*parts, strict=False) if len(set(same)) == 1]
    return ".".join(shared) or None


def layered(network: Network) -> Layered:
    """The network by its layers. Raises Problem where they are not known: a module of the user's."""
    if isinstance(network, Layered):
        return network
    raise Problem(
        "unknown-layers",
        "the layers of this network are not known",
        help="use a model that is a row of layers, such as `mlp`, `cnn` or `transformer`",
    )


# --- per-example gradients ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Record:
    """One layer with weights: what it took in, and the slopes of what is asked with respect to its outputs."""

    name: str
    inputs: Tensor
    """`(M, in, places, N)`; patches of `channels * size * size` pixels for a convolution. Of a norm, the
    normalised values `(M, features, places, N)`, each multiplied by its own gain."""
    slopes: Tensor
    """`(M, out, places, N)`."""
    factor: float = 1.0
    """What the weight is multiplied by when it acts."""
    bias_factor: float = 0.0
    """The same for the bias; 0 where there is none."""
    is_gain: bool = False
    """Whether the layer is a norm: its weight multiplies feature by feature."""

    def of(self, member: int) -> Record:
        """The same of one member alone, a stack of one."""
        own = slice(member, member + 1)
        return replace(self, inputs=self.inputs[own], slopes=self.slopes[own])

    def gradients(self) -> Tensors:
        """Per-example gradients of the layer's values: `(M, N, out, in)` or `(M, N, features)` for a weight
        (that of a convolution as the matrix acting on patches), `(M, N, out)` for a bias. Member by
        member."""
        product = _along_places if self.is_gain else _outer
        each = [
            product(slopes, inputs) * self.factor
            for slopes, inputs in zip(self.slopes, self.inputs, strict=True)
        ]
        found = {f"{self.name}.weight": torch.stack(each)}
        if self.bias_factor:
            found[f"{self.name}.bias"] = self.slopes.sum(2).transpose(1, 2) * self.bias_factor
        return found

    def squared_norms(self) -> Tensor:
        """`|dv/d(W, b)|^2` of each example `(M, N)`, weights and bias together.

        Of a dense layer `factor^2 |x|^2 |d|^2 + bias_factor^2 |d|^2`; with several places by the cheaper of
        the Gram matrices over places and the gradient itself.
        """
        if self.slopes.shape[2] == 1 and not self.is_gain:
            x, d = self.inputs[:, :, 0].square().sum(1), self.slopes[:, :, 0].square().sum(1)
            return d * (x * self.factor**2 + self.bias_factor**2)
        return sum(
            (value.flatten(2).square().sum(2) for value in self.gradients().values()),
            start=self.slopes.new_zeros(self.slopes.shape[0], self.slopes.shape[3]),
        )


def _along_places(slopes: Tensor, inputs: Tensor) -> Tensor:
    """`(features, places, N)` twice to their products summed over places, `(N, features)`."""
    return torch.einsum("fpn,fpn->nf", slopes, inputs)


def _outer(slopes: Tensor, inputs: Tensor) -> Tensor:
    """`(out, places, N)` and `(in, places, N)` to `(N, out, in)`. Both are turned over as matrices first: in the
    strides that they come in, the product of each example would copy number by number."""
    left, right = (part.flatten(0, 1).T.contiguous().view(-1, *part.shape[:2]) for part in (slopes, inputs))
    return torch.bmm(left, right.transpose(1, 2))


@dataclass
class Traced:
    """One forward pass with the graph from each layer's outputs to the network's."""

    outputs: Tensor
    """`(M, C, N)`."""
    parts: list[tuple[Layer, Tensor, Tensor]] = field(default_factory=list)
    """Each layer with weights, what its weight multiplies `(M, in, places, N)`, and its outputs."""

    def records(self, slopes: Tensor, *, is_last: bool = True) -> tuple[Record, ...]:
        """The layers' records where the slopes of what is asked by the network's outputs are `slopes` `(M, C,
        N)`.

        Args:
            is_last: whether the graph may go; else further slopes can be pulled through it.
        """
        found = torch.autograd.grad(
            self.outputs,
            [outputs for _, _, outputs in self.parts],
            slopes,
            retain_graph=not is_last,
            allow_unused=True,
            materialize_grads=True,
        )
        return tuple(
            _record(layer, inputs, slope.reshape(*slope.shape[:2], *inputs.shape[2:]))
            for (layer, inputs, _), slope in zip(self.parts, found, strict=True)
        )


def traced(runs: Runs, inputs: Tensor) -> Traced:
    """A forward pass on inputs `(members, examples, *shape)` at the trained values.

    Raises Problem where a layer with values is no linear layer, convolution or norm.
    """
    parameters = {name: value.detach() for name, value in runs.state.parameters.items()}
    found: list[tuple[Layer, Tensor, Tensor]] = []

    def watch(layer: Layer, taken: Tensor, given: Tensor) -> None:
        if isinstance(layer, Residual | EachStep) or not layer.parameters():
            return
        if not isinstance(layer, Linear | Conv | BatchNorm | GroupNorm | LayerNorm):
            raise _unknown(layer)
        if not given.requires_grad:
            given.requires_grad_()
        found.append((layer, taken, given))

    values = Pass(parameters, runs.state.buffers, training=False, watch=watch)
    stack = feature_major(inputs)
    with torch.enable_grad():
        for layer in layered(runs.network).layers:
            stack = values.through(layer, stack)
    examples = inputs.shape[1]
    return Traced(
        stack, [(layer, _columns(values, layer, taken, examples), given) for layer, taken, given in found]
    )


def records(
    runs: Runs, inputs: Tensor, targets: Tensor | None = None, *, slopes: Tensor | None = None
) -> tuple[Record, ...]:
    """For each layer with weights what it took and the slopes by its outputs, example by example.

    Args:
        inputs: `(members, examples, *shape)`, at most a block of 512 examples or so: nothing is cut here.
        targets: then the slopes are those of each example's training loss.
        slopes: or those of what is asked by the network's outputs, `(members, outputs, examples)`.
    """
    found = traced(runs, inputs)
    if slopes is None:
        assert targets is not None, "targets or slopes"
        outputs = found.outputs.detach().requires_grad_()
        with torch.enable_grad():
            (slopes,) = torch.autograd.grad(runs.loss(outputs, targets).sum(), outputs)
    return found.records(slopes)


def has_records(network: Network) -> bool:
    """Whether all layers with values are linear layers, convolutions or norms."""
    return isinstance(network, Layered) and all(
        isinstance(layer, Linear | Conv | BatchNorm | GroupNorm | LayerNorm)
        for layer in _leaves(network.layers)
        if layer.parameters()
    )


def _leaves(layers: tuple[Layer, ...]) -> Iterator[Layer]:
    for layer in layers:
        if isinstance(layer, Residual):
            yield from _leaves((*layer.body, *layer.shortcut))
        elif isinstance(layer, EachStep):
            yield from _leaves((layer.layer,))
        else:
            yield layer


def _unknown(layer: Layer) -> Problem:
    return Problem(
        "unknown-layers",
        f"gradients of each example are not known for a layer of the kind `{type(layer).__name__.lower()}`",
        help="use a network of dense layers, convolutions and norms (`mlp`, `cnn`, `resnet`, `vgg` ...)",
    )


def _columns(values: Pass, layer: Layer, taken: Tensor, examples: int) -> Tensor:
    """What the weight of a layer multiplies: its inputs, their patches, or of a norm the normalised inputs."""
    taken = taken.detach()
    if isinstance(layer, Conv):
        return _patches(layer, taken)
    if isinstance(layer, NORMS):
        taken = _normalised(values, layer, taken)
    return taken.reshape(*taken.shape[:2], -1, examples)


@torch.no_grad()
def _normalised(values: Pass, layer: BatchNorm | GroupNorm | LayerNorm, taken: Tensor) -> Tensor:
    """A norm without its own scale and offset."""
    plain = {name: taken.new_ones(len(taken), *fresh.shape) for name, fresh in layer.parameters().items()}
    plain[f"{layer.name}.bias"].zero_()
    return layer.apply(Pass(plain, values.buffers, training=False), taken)


def _record(layer: Layer, inputs: Tensor, slopes: Tensor) -> Record:
    if isinstance(layer, Conv):
        return Record(layer.name, inputs, slopes, bias_factor=float(layer.bias))
    if isinstance(layer, Linear):
        offset = NTK_BIAS if layer.parametrisation == "ntk" else 1.0
        return Record(layer.name, inputs, slopes, layer.factor, offset if layer.bias else 0.0)
    assert isinstance(layer, NORMS)
    return Record(layer.name, inputs, slopes, bias_factor=1.0, is_gain=True)


def _patches(layer: Conv, images: Tensor) -> Tensor:
    """`(M, channels, height, width, N)` to the patches of a convolution `(M, channels * size^2, places, N)`."""
    edge = layer.padding
    spread = pad(images, (0, 0, edge, edge, edge, edge)) if edge else images
    for dim in (2, 3):
        spread = spread.unfold(dim, layer.size, layer.stride)
    members, channels, height, width, examples = spread.shape[:5]
    rows = spread.permute(0, 1, 5, 6, 2, 3, 4)
    return rows.reshape(members, channels * layer.size**2, height * width, examples)
