"""Networks that think: one block of layers, applied as often as one likes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import torch
from torch import Tensor

from gendsl_runtime.network import State, Tensors
from gendsl_runtime.noise import Noise
from gendsl_runtime.random import generator
from gendsl_runtime.train.layers.conv import MANY
from gendsl_runtime.train.layers.image import together
from gendsl_runtime.train.layers.layer import Layer, Layered, feature_major
from gendsl_runtime.train.layers.tape import Ring, Store, Tape
from gendsl_runtime.train.layers.window import Grid, Held, Library, Products, Way, Window

Kind = TypeVar("Kind")


def last(states: Iterable[Kind]) -> Kind:
    """The last of at least one state; the others are not kept."""
    for state in states:
        found = state
    return found


@dataclass(frozen=True)
class Schedule:
    """How many iterations a training step makes without and with gradient: the same for every run at the same step, so
    that a run does not depend on its company."""

    iterations: int
    progressive: float
    skip: int | None
    ramp: int

    def draw(self, step: int) -> tuple[int, int]:
        """Iterations without gradient, and then with."""
        chance = generator("thinking", 0, step)
        if chance.random() >= self.progressive:
            return 0, self.iterations
        if self.skip is None:
            free = int(chance.integers(0, self.iterations))
            return free, int(chance.integers(1, self.iterations - free + 1))
        grown = min(1.0, step / self.ramp) if self.ramp else 1.0
        most = round(self.iterations + grown * (self.skip - self.iterations)) if self.ramp else self.skip
        return int(chance.integers(0, most + 1)), int(chance.integers(1, self.iterations + 1))


@dataclass(frozen=True)
class Thinking:
    """A projection, a block that is iterated, and a head that answers for each place.

    Between the layers a stack is `(members, channels, height, width, examples)`; a sequence has height 1.
    """

    shape: tuple[int, ...]
    outputs: int
    width: int
    blocks: int
    has_recall: bool
    is_tied: bool
    schedule: Schedule
    is_noisy = True
    is_varying = True
    """Whether steps differ in what they compute, so that they cannot be recorded once and replayed."""

    @property
    def iterations(self) -> int:
        """Iterations where nothing else is said."""
        return self.schedule.iterations

    def init(self, seeds: Sequence[int]) -> State:
        return Layered(self.shape, self.outputs, tuple(self._layers)).init(seeds)

    def apply(
        self,
        parameters: Tensors,
        buffers: Tensors,
        inputs: Tensor,
        *,
        training: bool,
        noise: Noise | None = None,
    ) -> tuple[Tensor, Tensors]:
        """Outputs `(members, outputs, places, examples)` after all iterations; in training after as many as the
        schedule draws for the step, with a gradient that is taken once at most."""
        seen, values = self.seen(inputs), self._values(parameters)
        free, kept = 0, self.iterations
        if training:
            assert noise is not None, "a noisy network is trained with noise"
            free, kept = self.schedule.draw(int(noise.step))
        if self._is_large(seen):
            way = Library(self._size)
            found = [self._outputs(way, *own, free, kept) for own in _members(values, seen)]
            return torch.cat(found).flatten(2, 3), buffers
        if training and torch.is_grad_enabled():
            outputs: Tensor = _Written.apply(self, seen, free, kept, tuple(values), *values.values())  # type: ignore[no-untyped-call]
        else:
            outputs = self._outputs(self._small(seen), values, seen, free, kept)
        return outputs.flatten(2, 3), buffers

    def seen(self, inputs: Tensor) -> Tensor:
        """Inputs `(members, examples, *shape)` as `(members, channels, height, width, examples)`."""
        stack = feature_major(inputs)
        return stack if inputs.ndim == 5 else stack.transpose(1, 2).unsqueeze(2)

    def thoughts(
        self,
        parameters: Tensors,
        seen: Tensor,
        *,
        iterations: int,
        start: Tensor | None = None,
        behind: int = 0,
    ) -> Iterator[Tensor]:
        """The memory after each iteration, `(members, width, height, width, examples)`, from `start` or, without one,
        from the projection of what is seen. `behind` counts the iterations that led to `start`."""
        values, turns = self._values(parameters), range(behind, behind + iterations)
        if not self._is_large(seen):
            way = self._small(seen)
            begun = None if start is None else way.enter(start)
            yield from map(way.leave, self._turns(way, values, way.enter(seen), begun, turns))
            return
        library = Library(self._size)
        starts = (
            [None] * len(seen) if start is None else [library.enter(own) for own in torch.split(start, 1)]
        )
        members = [
            self._turns(library, own, library.enter(part), first, turns)
            for (own, part), first in zip(_members(values, seen), starts, strict=True)
        ]
        yield from map(together, zip(*members, strict=True))

    def answer(self, parameters: Tensors, state: Tensor) -> Tensor:
        """What a memory says about each place, `(members, outputs, places, examples)`, row by row."""
        if self._is_large(state):
            way = Library(self._size)
            found = [
                way.leave(self._answer(way, values, way.enter(own)))
                for values, own in _members(parameters, state)
            ]
            return torch.cat(found).flatten(2, 3)
        small = self._small(state)
        return small.leave(self._answer(small, parameters, small.enter(state))).flatten(2, 3)

    def _outputs(self, way: Way, values: Tensors, seen: Tensor, free: int, kept: int) -> Tensor:
        """Answers after `free` iterations without gradient and `kept` ones with it."""
        entered, start = way.enter(seen), None
        with torch.no_grad():
            if free:
                # Without a gradient, the tape is no way.
                other = Ring(way.grid) if isinstance(way, Tape) else way
                start = last(self._turns(other, values, entered, None, range(free)))
        state = last(self._turns(way, values, entered, start, range(free, free + kept)))
        return way.leave(self._answer(way, values, state))

    def _turns(
        self, way: Way, values: Tensors, seen: Held, state: Held | None, turns: Iterable[int]
    ) -> Iterator[Held]:
        """The states after these iterations."""
        fixed: dict[str, Held] = {}
        if state is None:
            state = way.convolve(values["projection.weight"], seen)
        for turn in turns:
            name = "thought" if self.is_tied else f"thought.{turn}"
            if self.has_recall:
                if name not in fixed:
                    # What the recall adds does not depend on the memory.
                    fixed[name] = way.convolve(values[f"{name}.recall.seen"], seen, is_cut=False)
                state = way.convolve(values[f"{name}.recall.weight"], state, fixed[name], is_cut=False)
            for block in range(self.blocks):
                inner = way.convolve(values[f"{name}.{block}.first.weight"], state)
                state = way.convolve(values[f"{name}.{block}.second.weight"], inner, state)
            yield state

    def _answer(self, way: Way, values: Tensors, state: Held) -> Held:
        for layer in ("head.0", "head.1"):
            state = way.convolve(values[f"{layer}.weight"], state)
        return way.convolve(values["head.2.weight"], state, is_cut=False)

    def _values(self, parameters: Tensors) -> Tensors:
        """The parameters, those of a recall apart: `.weight` for the memory, `.seen` for the input."""
        found = {}
        for name, value in parameters.items():
            found[name] = value
            if name.endswith(".recall.weight"):
                places = value.view(*value.shape[:2], math.prod(self._size), -1)
                memory, seen = torch.split(places, [self.width, places.shape[3] - self.width], 3)
                found[name] = memory.flatten(2)
                found[name.removesuffix("weight") + "seen"] = seen.flatten(2)
        return found

    def _is_large(self, stack: Tensor) -> bool:
        """Whether a convolution between memories gains nothing from a stack. The size of the network and of an example
        alone decide, never that of the stack."""
        return self.width**2 * math.prod(self._size) * math.prod(stack.shape[2:4]) >= MANY

    def _small(self, stack: Tensor) -> Way:
        """How convolutions of little work are computed."""
        if torch.is_grad_enabled():
            return Products(self._size)
        return Ring(Grid(self._size, *stack.shape[2:]))

    def store(self, seen: Tensor) -> Store:
        """Memory that training steps on stacks like this one use again."""
        grid = Grid(self._size, *seen.shape[2:])
        return self._stores.setdefault((grid, len(seen), seen.dtype, seen.device), Store(grid))

    @cached_property
    def _stores(self) -> dict[object, Store]:
        return {}

    def _block(self, turn: int) -> list[Layer]:
        name = "thought" if self.is_tied else f"thought.{turn}"
        recall = [Window(f"{name}.recall", self.width + self._channels, self.width, self._size)]
        inner: list[Layer] = [
            Window(f"{name}.{block}.{part}", self.width, self.width, self._size)
            for block in range(self.blocks)
            for part in ("first", "second")
        ]
        return [*recall, *inner] if self.has_recall else inner

    @property
    def _size(self) -> tuple[int, int]:
        return (3, 3) if len(self.shape) == 3 else (1, 3)

    @property
    def _channels(self) -> int:
        return self.shape[0] if len(self.shape) == 3 else self.shape[1]

    @cached_property
    def _projection(self) -> Window:
        return Window("projection", self._channels, self.width, self._size)

    @cached_property
    def _head(self) -> tuple[Window, Window, Window]:
        narrow = max(2, self.width // 4)
        return (
            Window("head.0", self.width, self.width, self._size),
            Window("head.1", self.width, narrow, self._size),
            Window("head.2", narrow, self.outputs, self._size),
        )

    @property
    def _layers(self) -> list[Layer]:
        turns = range(1 if self.is_tied else self.iterations)
        return [self._projection, *(layer for turn in turns for layer in self._block(turn)), *self._head]


def _members(values: Tensors, stack: Tensor) -> Iterator[tuple[Tensors, Tensor]]:
    """Each member's values and part of a stack, with a leading axis of length 1."""
    # Cut at once: the gradient of a slice is a stack of zeros for each member.
    own = {name: torch.split(value, 1) for name, value in values.items()}
    for member, part in enumerate(torch.split(stack, 1)):
        yield {name: parts[member] for name, parts in own.items()}, part


class _Written(torch.autograd.Function):
    """A training step's outputs on a tape, whose way back is the gradient."""

    @staticmethod
    def forward(
        context: Any,
        network: Thinking,
        seen: Tensor,
        free: int,
        kept: int,
        names: tuple[str, ...],
        *values: Tensor,
    ) -> Tensor:
        tape = Tape(network.store(seen))
        found = network._outputs(tape, dict(zip(names, values, strict=True)), seen, free, kept)
        context.tape, context.keys = tape, [id(value) for value in values]
        context.save_for_backward(*tape.memory)
        return found

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(context: Any, *slopes: Tensor) -> tuple[Tensor | None, ...]:
        _ = context.saved_tensors  # A second way back is refused here.
        found = context.tape.pull(slopes[0])
        return (*[None] * 5, *(found.get(key) for key in context.keys))
