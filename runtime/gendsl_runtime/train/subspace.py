"""A network whose parameters move in a random subspace only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod

import torch
from torch import Tensor

from gendsl_runtime.network import State, Tensors
from gendsl_runtime.noise import Noise
from gendsl_runtime.problem import Problem
from gendsl_runtime.train.around import Around
from gendsl_runtime.train.projection import Kind, drawn, padded, projected

COORDINATES = "coordinates"
LARGEST = 2**24
"""Places of a permutation are kept as float32, like all values of a stack."""
START, PROJECTION = "start.", "projection."


@dataclass(frozen=True)
class Subspace(Around):
    """`theta = theta_0 + P w`: w is learnt, `theta_0` and P are fixed buffers, as are those of the inner network."""

    dimension: int
    kind: Kind

    @cached_property
    def sizes(self) -> dict[str, tuple[int, ...]]:
        """Shapes of the inner network's parameters, in their order."""
        return {name: tuple(value.shape[1:]) for name, value in self.inner.init([0]).parameters.items()}

    @cached_property
    def size(self) -> int:
        """Numbers in the inner network's parameters."""
        return sum(prod(shape) for shape in self.sizes.values())

    def init(self, seeds: Sequence[int]) -> State:
        """`theta_0` as the inner network starts, P of each member's own seed, w zero."""
        if self.kind == "fastfood" and padded(self.size, self.dimension) > LARGEST:
            raise Problem(
                "too-large",
                f"`fastfood` permutes at most {LARGEST} numbers, and {self.size} parameters with {self.dimension} "
                "coordinates need more",
                help="write `projection = kronecker`",
            )
        inner = self.inner.init(seeds)
        parts = [drawn(self.kind, seed, size=self.size, dimension=self.dimension) for seed in seeds]
        buffers = {f"{START}{name}": value for name, value in inner.parameters.items()}
        buffers |= inner.buffers
        for name in parts[0]:
            buffers[f"{PROJECTION}{name}"] = torch.stack([torch.from_numpy(part[name]) for part in parts])
        return State({COORDINATES: torch.zeros(len(seeds), self.dimension)}, buffers)

    def adopt(self, init: State, fresh: State, seed: int) -> State:
        """A state that starts from that of another run: one of the inner network becomes `theta_0`, with w zero."""
        if set(init.parameters) != set(self.sizes):
            return init
        wanted = {f"{START}{name}": shape for name, shape in self.sizes.items()}
        found = {f"{START}{name}": value for name, value in init.parameters.items()}
        if any(tuple(found[name].shape[1:]) != shape for name, shape in wanted.items()):
            raise Problem(
                "wrong-shape",
                "the run in `init` has weights of other sizes than the network in this subspace",
                help="give both the same model and data of the same shape",
            )
        return State(fresh.parameters, {**fresh.buffers, **found, **init.buffers})

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
        own = {name: value for name, value in buffers.items() if not name.startswith((START, PROJECTION))}
        weights = self.weights(parameters, buffers)
        outputs, after = self.inner.apply(weights, own, inputs, training=training, noise=noise)
        return outputs, ({**buffers, **after} if own else buffers)

    def weights(self, parameters: Tensors, buffers: Tensors) -> Tensors:
        """The inner network's parameters."""
        parts = {
            name.removeprefix(PROJECTION): value
            for name, value in buffers.items()
            if name.startswith(PROJECTION)
        }
        moved = projected(self.kind, parts, parameters[COORDINATES], size=self.size)
        pieces = torch.split(moved, [prod(shape) for shape in self.sizes.values()], dim=1)
        return {
            name: buffers[f"{START}{name}"] + piece.reshape(-1, *shape)
            for (name, shape), piece in zip(self.sizes.items(), pieces, strict=True)
        }
