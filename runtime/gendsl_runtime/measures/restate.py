"""Statistics of units in networks whose weights were moved: BatchNorm's set anew, and REPAIR."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from gendsl_runtime.measures.layers import layered
from gendsl_runtime.network import State
from gendsl_runtime.runs import BLOCK, Runs
from gendsl_runtime.train.layers.conv import Conv
from gendsl_runtime.train.layers.layer import Fresh, Layer, Layered, Pass, feature_major
from gendsl_runtime.train.layers.linear import Linear
from gendsl_runtime.train.layers.norm import EPSILON, BatchNorm
from gendsl_runtime.train.layers.residual import Residual

Statistics = Literal["own", "reset"]
Moments = tuple[Tensor, Tensor]
"""Mean and variance of each unit, `(M, units)` float64, over examples and places."""
Settle = Callable[[Layer, Sequence[Tensor], Pass], None]


@dataclass(frozen=True)
class Corrected:
    """`y = scale x + shift`, unit by unit: what REPAIR puts behind a layer."""

    name: str
    units: int

    def parameters(self) -> Mapping[str, Fresh]:
        return {}

    def buffers(self) -> Mapping[str, Fresh]:
        return {
            f"{self.name}.scale": Fresh((self.units,), "constant", 1.0),
            f"{self.name}.shift": Fresh((self.units,), "constant", 0.0),
        }

    def apply(self, values: Pass, inputs: Tensor) -> Tensor:
        places = (len(inputs), self.units) + (1,) * (inputs.ndim - 2)
        scale, shift = (values.buffers[f"{self.name}.{part}"].view(places) for part in ("scale", "shift"))
        return inputs * scale + shift


def has_statistics(runs: Runs) -> bool:
    """Whether any layer keeps running statistics."""
    return any(name.endswith("running_mean") for name in runs.state.buffers)


@torch.no_grad()
def restated(runs: Runs, *, on: str = "fit") -> Runs:
    """The same networks with the running statistics of BatchNorm those of a whole split.

    Layer by layer from the inputs on, each from the exact mean and the unbiased variance of all examples behind the
    layers before it as they now are; without dropout, and independent of any batch. Networks without BatchNorm are
    left as they are.
    """
    if not has_statistics(runs):
        return runs

    def settle(layer: Layer, blocks: Sequence[Tensor], values: Pass) -> None:
        if isinstance(layer, BatchNorm):
            mean, variance = moments(blocks)
            count = sum(block[0, 0].numel() for block in blocks)
            like = values.buffers[f"{layer.name}.running_mean"]
            values.buffers[f"{layer.name}.running_mean"] = mean.to(like)
            values.buffers[f"{layer.name}.running_var"] = (variance * (count / max(1, count - 1))).to(like)

    return _settled(runs, on, settle)


@torch.no_grad()
def observed(runs: Runs, *, on: str = "fit") -> dict[str, Moments]:
    """Moments of what REPAIR corrects, by the name of the correction; `runs` have a network with `corrections`."""
    found: dict[str, Moments] = {}

    def settle(layer: Layer, blocks: Sequence[Tensor], values: Pass) -> None:
        if isinstance(layer, Corrected):
            found[layer.name] = moments(blocks)

    _settled(runs, on, settle)
    return found


@torch.no_grad()
def repaired(runs: Runs, targets: Mapping[str, Moments], *, on: str = "fit") -> Runs:
    """The same networks with every unit's mean and standard deviation over a split as in `targets` (mean, deviation).

    REPAIR (Jordan et al. 2023): behind each layer a correction `y = scale x + shift`, settled layer by
    layer from the inputs on. BatchNorm is set anew as in `restated`, which does the same there. Variances are
    compared with 1e-5 added, as in normalisation, so that units that are always 0 stay finite.
    """

    def settle(layer: Layer, blocks: Sequence[Tensor], values: Pass) -> None:
        if isinstance(layer, BatchNorm | Corrected):
            mean, variance = moments(blocks)
            if isinstance(layer, Corrected):
                wanted, deviation = targets[layer.name]
                scale = deviation / (variance + EPSILON).sqrt()
                parts = {"scale": scale, "shift": wanted - scale * mean}
            else:
                count = sum(block[0, 0].numel() for block in blocks)
                parts = {"running_mean": mean, "running_var": variance * (count / max(1, count - 1))}
            for part, value in parts.items():
                name = f"{layer.name}.{part}"
                values.buffers[name] = value.to(values.buffers[name].dtype)

    return _settled(runs, on, settle)


def corrections(runs: Runs) -> Runs:
    """The same functions, with a correction that changes nothing yet behind every linear layer and convolution but
    the output layer; where BatchNorm follows none is needed."""
    network = layered(runs.network)
    last = [layer for layer in network.layers if isinstance(layer, Linear | Conv)][-1:]
    made = replace(network, layers=tuple(_with_corrections(network.layers, last)))
    known = runs.state.buffers
    like = next(iter(runs.state.parameters.values()))
    fresh = {
        name: torch.full((runs.members, *value.shape), value.scale).to(like)
        for layer in made.layers
        for name, value in layer.buffers().items()
        if name not in known
    }
    return replace(runs, network=made, state=State(runs.state.parameters, {**known, **fresh}))


def _with_corrections(layers: Sequence[Layer], last: Sequence[Layer]) -> Iterable[Layer]:
    for layer, after in zip(layers, [*layers[1:], None], strict=False):
        if isinstance(layer, Residual):
            body, shortcut = (tuple(_with_corrections(part, last)) for part in (layer.body, layer.shortcut))
            yield replace(layer, body=body, shortcut=shortcut)
            continue
        yield layer
        if isinstance(layer, Linear | Conv) and not isinstance(after, BatchNorm) and layer not in last:
            yield Corrected(f"{layer.name}.repair", layer.outputs)


def moments(blocks: Sequence[Tensor]) -> Moments:
    """Mean and variance of each unit over all blocks `(M, units, ..., N)`, member by member in float64."""
    members = [[block[member].flatten(1).double() for block in blocks] for member in range(len(blocks[0]))]
    found = []
    for own in members:
        count = sum(block.shape[1] for block in own)
        mean = torch.stack([block.sum(1) for block in own]).sum(0) / count
        squares = torch.stack([(block - mean[:, None]).square().sum(1) for block in own])
        found.append((mean, squares.sum(0) / count))
    means, variances = zip(*found, strict=True)
    return torch.stack(means), torch.stack(variances)


def _settled(runs: Runs, on: str, settle: Settle) -> Runs:
    """Sends a split through layer by layer; `settle` sees what each layer takes, and may set its buffers."""
    network: Layered = layered(runs.network)
    values = Pass(runs.state.parameters, dict(runs.state.buffers), training=False)
    inputs, _ = runs.split(on)
    blocks = [feature_major(block) for block in torch.split(inputs, BLOCK, dim=1)]
    _through(network.layers, blocks, values, settle)
    return replace(runs, state=State(runs.state.parameters, values.buffers))


def _through(layers: Sequence[Layer], blocks: list[Tensor], values: Pass, settle: Settle) -> list[Tensor]:
    for layer in layers:
        if isinstance(layer, Residual):
            straight = _through(layer.shortcut, blocks, values, settle)
            bent = _through(layer.body, blocks, values, settle)
            blocks = [one + other for one, other in zip(bent, straight, strict=True)]
        else:
            settle(layer, blocks, values)
            blocks = [layer.apply(values, block) for block in blocks]
    return blocks
