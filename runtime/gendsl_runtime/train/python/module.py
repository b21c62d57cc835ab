"""A user's `torch.nn.Module` as a network of the engine.

Each member is computed by a call of its own on copies of its own values. Stacking modules by `vmap` was
measured and is not exact (decision 090); member by member, bits depend on nothing but the member, and
whatever Python the module runs (branches on data, `.item()`, loops) means what it says.

Before a module is trained it is tried on a few examples: what the engine would get wrong is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from gendsl.spec import Code
from gendsl_runtime.network import State, Tensors
from gendsl_runtime.noise import Noise
from gendsl_runtime.problem import Problem
from gendsl_runtime.python import running, seeded

Build = Callable[[], nn.Module]


def stream(purpose: str, *words: int) -> int:
    """A seed of torch's generator for a purpose: 63 bits of a hash."""
    digest = sha256(":".join([f"module.{purpose}", *map(str, words)]).encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1


def fresh(build: Build, seed: int) -> nn.Module:
    """A module as its own code initialises it, from generators that start from the member's seed."""
    with seeded(stream("init", seed)):
        return build()


def values(module: nn.Module) -> Tensors:
    """Copies of a module's parameters and buffers, tied ones once; no member axis."""
    return {
        name: value.detach().clone() for name, value in (*module.named_parameters(), *module.named_buffers())
    }


@dataclass(frozen=True)
class ModuleNetwork:
    """A network whose members are calls of one module. `learnt` names what has a gradient."""

    shape: tuple[int, ...]
    outputs: int
    is_noisy: bool
    """Whether the module draws from the global generators in training (dropout)."""
    module: nn.Module
    """The skeleton that values are put into; its own values are never used."""
    build: Build
    learnt: frozenset[str]
    kinds: Mapping[str, torch.dtype]
    """The types of values that are no floating-point numbers: in a stack they may have become such."""
    code: Code

    def init(self, seeds: Sequence[int]) -> State:
        """Fresh states, one for each seed; a member's values depend on its own seed alone."""
        drawn = [values(fresh(self.build, seed)) for seed in seeds]
        stacked = {name: torch.stack([one[name] for one in drawn]) for name in drawn[0]}
        return State(
            {name: value for name, value in stacked.items() if name in self.learnt},
            {name: value for name, value in stacked.items() if name not in self.learnt},
        )

    def apply(
        self,
        parameters: Tensors,
        buffers: Tensors,
        inputs: Tensor,
        *,
        training: bool,
        noise: Noise | None = None,
    ) -> tuple[Tensor, Tensors]:
        """Outputs `(members, outputs, examples)` for inputs `(members, examples, *shape)`, and the new
        buffers."""
        members = len(inputs)
        rows = {name: value.unbind(0) for name, value in {**parameters, **buffers}.items()}
        found: list[Tensor] = []
        moved: list[Tensors] = []
        for member in range(members):
            # A copy lies at an aligned address of its own: sums may run in another order where it does not.
            own = {name: self._own(name, row[member]) for name, row in rows.items()}
            seed = None if noise is None or not training else _seed(noise, member)
            with running(self.code, self.code.name, seed=seed):
                outputs, after = called(self.module, own, inputs[member].clone(), training=training)
            check(self.code.name, outputs, (inputs.shape[1], self.outputs))
            found.append(outputs.T)
            moved.append({name: after[name].detach().to(buffers[name].dtype) for name in buffers})
        new = {name: torch.stack([one[name] for one in moved]) for name in buffers} if training else buffers
        return found[0][None] if members == 1 else torch.stack(found), new

    def _own(self, name: str, value: Tensor) -> Tensor:
        kind = self.kinds.get(name)
        return value.clone() if kind is None else value.to(kind, copy=True)


def check(name: str, outputs: Any, wanted: tuple[int, int]) -> None:
    """Fails where a module gives something other than floating-point numbers `(examples, outputs)`."""
    if not isinstance(outputs, Tensor):
        raise Problem("wrong-shape", f"`{name}` gives a {type(outputs).__name__}, not a tensor {wanted}")
    if outputs.shape == wanted and outputs.is_floating_point():
        return
    is_flat = wanted[1] == 1 and outputs.shape == wanted[:1]
    raise Problem(
        "wrong-shape",
        f"`{name}` gives {str(outputs.dtype).removeprefix('torch.')} {tuple(outputs.shape)} for {wanted[0]} "
        f"examples, not float32 {wanted}",
        help="keep the last axis: `x.unsqueeze(1)`" if is_flat else "outputs are (examples, outputs)",
    )


def called(module: nn.Module, own: Tensors, inputs: Tensor, *, training: bool) -> tuple[Any, Tensors]:
    """What a module gives with these values in place of its own, and the values after the call."""
    module.train(training)
    given = dict(own)
    outputs = functional_call(module, given, (inputs,), tie_weights=True)
    return outputs, given


def _seed(noise: Noise, member: int) -> int:
    low, high = (int(word) for word in noise.keys[member])
    return stream("noise", low, high, int(noise.step))
