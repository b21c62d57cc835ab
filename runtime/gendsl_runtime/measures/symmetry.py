"""Which axes of a network's values are the same units, and may be permuted together without changing its function."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from gendsl_runtime.measures.layers import layered
from gendsl_runtime.network import Network
from gendsl_runtime.problem import Problem
from gendsl_runtime.train.layers.activation import Pointwise
from gendsl_runtime.train.layers.conv import Conv
from gendsl_runtime.train.layers.dropout import Dropout
from gendsl_runtime.train.layers.layer import Layer
from gendsl_runtime.train.layers.layer_norm import LayerNorm
from gendsl_runtime.train.layers.linear import Flatten, Linear, Scaled
from gendsl_runtime.train.layers.norm import BatchNorm, GroupNorm
from gendsl_runtime.train.layers.pool import GlobalAverage, Pool
from gendsl_runtime.train.layers.residual import Residual

FIXED = -1
"""The group of inputs and outputs: what they mean is given."""


class Axis(NamedTuple):
    """An axis of a value `(members, ...)` that runs over the units of a group, each `times` in a row."""

    value: str
    axis: int
    times: int = 1


@dataclass
class Units:
    """Units that can only be permuted together: of a layer, or of all layers of a residual stream."""

    size: int
    axes: list[Axis] = field(default_factory=list)
    blocks: int = 1
    """GroupNorm takes so many equal runs of neighbours together: permutations keep who is with whom."""
    layers: list[Layer] = field(default_factory=list)
    """The activation functions of these units; where there are none, the layers that make them."""


class _Walk:
    """Follows the units of a network from layer to layer."""

    def __init__(self) -> None:
        self.units: list[Units] = []
        self._made: list[Layer] = []
        self._joined: dict[int, int] = {}

    def root(self, group: int) -> int:
        while group in self._joined:
            group = self._joined[group]
        return group

    def through(self, layers: Sequence[Layer], group: int) -> int:
        """The group of units that flows behind the layers."""
        for layer in layers:
            group = self._behind(layer, group)
        return group

    def _behind(self, layer: Layer, group: int) -> int:
        match layer:
            case Linear() | Conv():
                return self._weighted(layer, group)
            case BatchNorm() | LayerNorm() | GroupNorm():
                self._normalised(layer, group)
                return group
            case Residual(body=body, shortcut=shortcut):
                straight, bent = self.through(shortcut, group), self.through(body, group)
                self._join(straight, bent)
                return bent
            case Pointwise():
                if group != FIXED:
                    self.units[group].layers.append(layer)
                return group
            case Flatten() | Pool() | GlobalAverage() | Dropout() | Scaled():
                return group
        raise Problem(
            "unknown-layers",
            f"units of a `{type(layer).__name__}` layer cannot be aligned",
            help="align networks of linear, convolution, norm and residual layers, or write `align=none`",
        )

    def _weighted(self, layer: Linear | Conv, before: int) -> int:
        group = len(self.units)
        self.units.append(Units(layer.outputs))
        self._made.append(layer)
        weight = f"{layer.name}.weight"
        self._note_axis(group, Axis(weight, 1))
        if layer.bias:
            self._note_axis(group, Axis(f"{layer.name}.bias", 1))
        # Behind `Flatten` each channel is all its pixels in a row.
        units = self.units[before].size if before != FIXED else layer.inputs
        self._note_axis(before, Axis(weight, 2, layer.inputs // units))
        return group

    def _normalised(self, layer: BatchNorm | LayerNorm | GroupNorm, group: int) -> None:
        for name in (*layer.parameters(), *layer.buffers()):
            self._note_axis(group, Axis(name, 1))
        if isinstance(layer, GroupNorm) and group != FIXED:
            self.units[group].blocks = layer.groups

    def _note_axis(self, group: int, axis: Axis) -> None:
        if group != FIXED:
            self.units[group].axes.append(axis)

    def _join(self, one: int, other: int) -> None:
        one, other = self.root(one), self.root(other)
        if one != other:
            self._joined[max(one, other)] = min(one, other)

    def found(self, last: int) -> list[Units]:
        """Groups that may be permuted, joined ones as one."""
        whole: dict[int, Units] = {}
        fixed = {FIXED, self.root(last)}
        for group, units in enumerate(self.units):
            root = self.root(group)
            if root in fixed:
                continue
            known = whole.setdefault(root, Units(units.size))
            known.axes += units.axes
            known.layers += units.layers or [self._made[group]]
            known.blocks = max(known.blocks, units.blocks)
        return [units for units in whole.values() if units.size > 1]


def groups(network: Network) -> list[Units]:
    """The groups of units of a network whose permutations leave its function as it is.

    Raises Problem for networks with layers whose units cannot be followed.
    """
    known = layered(network)
    walk = _Walk()
    return walk.found(walk.through(known.layers, FIXED))
