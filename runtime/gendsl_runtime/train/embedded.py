"""A network that starts as a smaller one: planted in it, with every other unit dead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gendsl_runtime.network import State, Tensors
from gendsl_runtime.problem import Problem
from gendsl_runtime.random import generator
from gendsl_runtime.train.layers.layer import Layered, prefixes
from gendsl_runtime.train.layers.linear import Linear


@dataclass(frozen=True)
class Embedded(Layered):
    """Dense layers with ReLU between them, all with biases, that may start from a smaller network of that kind."""

    shift: float
    """c: lifts what is passed on, and drops what is dead."""
    push: float
    """Standard deviation of the noise that is added to the start."""

    def init(self, seeds: Sequence[int]) -> State:
        """As the layers start, pushed."""
        state = super().init(seeds)
        return State(self._pushed(state.parameters, seeds), state.buffers)

    def adopt(self, init: State, fresh: State, seed: int) -> State:
        """The run of a smaller network planted in this one, or one of this very network as it is; pushed."""
        sizes = {name: value.shape for name, value in fresh.parameters.items()}
        is_own = sizes == {name: value.shape for name, value in init.parameters.items()}
        start = init.parameters if is_own else self._planted(_layers(init))
        return State(self._pushed(start, [seed]), fresh.buffers)

    def _planted(self, small: list[tuple[Tensor, Tensor]]) -> Tensors:
        """Its hidden layers lie in the first ones, its output layer in the next, the others pass on."""
        own = [layer for layer in self.layers if isinstance(layer, Linear)]
        passes, (given, answered) = len(own) - len(small), (small[0][0].shape[1], len(small[-1][1]))
        small = small + [(torch.eye(self.outputs), torch.zeros(self.outputs))] * passes
        is_fitting = passes >= 0 and all(
            len(bias) <= layer.outputs and weight.shape[1] <= layer.inputs
            for layer, (weight, bias) in zip(own, small, strict=True)
        )
        if not is_fitting or (given, answered) != (own[0].inputs, self.outputs):
            raise Problem(
                "wrong-shape",
                "the run in `init` does not fit into the network that it is to be embedded in",
                help="give it at most as many layers, none wider, and data of the same shape; a network with more "
                "layers passes the outputs on, and needs a unit of each layer for each of them",
            )
        return dict(self._values(own, small, passes))

    def _values(
        self, own: list[Linear], small: list[tuple[Tensor, Tensor]], passes: int
    ) -> list[tuple[str, Tensor]]:
        found: list[tuple[str, Tensor]] = []
        for place, (layer, (weight, bias)) in enumerate(zip(own, small, strict=True)):
            is_last = place == len(own) - 1
            whole = torch.zeros(layer.outputs, layer.inputs)
            whole[: weight.shape[0], : weight.shape[1]] = weight
            offset = torch.full((layer.outputs,), 0.0 if is_last else -self.shift)
            offset[: len(bias)] = bias
            if passes and place == len(own) - 1 - passes:
                offset[: len(bias)] += self.shift
            if passes and is_last:
                offset -= self.shift
            found += [(f"{layer.name}.weight", whole[None]), (f"{layer.name}.bias", offset[None])]
        return found

    def _pushed(self, start: Tensors, seeds: Sequence[int]) -> Tensors:
        if not self.push:
            return start
        return {name: value + self.push * _noise(name, value, seeds) for name, value in start.items()}


def _noise(name: str, like: Tensor, seeds: Sequence[int]) -> Tensor:
    """Standard normal numbers of each member's own seed."""
    shape = tuple(like.shape[1:])
    drawn = [generator(f"push.{name}", seed).standard_normal(shape, dtype=np.float32) for seed in seeds]
    return torch.from_numpy(np.stack(drawn))


def _layers(small: State) -> list[tuple[Tensor, Tensor]]:
    """Weights and biases of a `linear` or an `mlp`, M = 1, from the first layer to the last."""
    names = [*prefixes((len(small.parameters) - 1) // 2, "hidden"), "output"]
    pairs = [(f"{name}.weight", f"{name}.bias") for name in names]
    if {value for pair in pairs for value in pair} != set(small.parameters) or small.buffers:
        raise Problem(
            "wrong-kind",
            "`embedded` starts from a run of `linear` or of a plain `mlp`, and the one in `init` is of another kind",
            help="train `linear()` or `mlp(hidden=[...])` with biases, without `norm` and `skip`",
        )
    return [(small.parameters[weight][0].cpu(), small.parameters[bias][0].cpu()) for weight, bias in pairs]
