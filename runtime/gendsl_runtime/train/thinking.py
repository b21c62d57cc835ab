"""Networks that think: one block of layers, applied as often as one likes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from gendsl_runtime.network import State, Tensors
from gendsl_runtime.noise import Noise
from gendsl_runtime.random import generator
from gendsl_runtime.train.layers.layer import Layer, Layered, Pass, feature_major
from gendsl_runtime.train.layers.window import Window


def last(states: Iterable[Tensor]) -> Tensor:
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
        schedule draws for the step."""
        seen = self.seen(inputs)
        free, kept = 0, self.iterations
        if training:
            assert noise is not None, "a noisy network is trained with noise"
            free, kept = self.schedule.draw(int(noise.step))
        with torch.no_grad():
            start = None
            if free:
                start = last(self.thoughts(parameters, seen, iterations=free, training=training))
        states = self.thoughts(parameters, seen, iterations=kept, start=start, behind=free, training=training)
        return self.answer(parameters, last(states), training=training), buffers

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
        training: bool = False,
    ) -> Iterator[Tensor]:
        """The memory after each iteration, `(members, width, height, width, examples)`, from `start` or, without one,
        from the projection of what is seen. `behind` counts the iterations that led to `start`; in training, gradients
        are taken once at most."""
        values = Pass(parameters, {}, training=training)
        state = torch.relu(self._projection.apply(values, seen)) if start is None else start
        for turn in range(behind, behind + iterations):
            state = self._thought(values, state, seen, turn)
            yield state

    def answer(self, parameters: Tensors, state: Tensor, *, training: bool = False) -> Tensor:
        """What a memory says about each place, `(members, outputs, places, examples)`, row by row."""
        values = Pass(parameters, {}, training=training)
        first, second, last = self._head
        stack = torch.relu(second.apply(values, torch.relu(first.apply(values, state))))
        return last.apply(values, stack).flatten(2, 3)

    def _thought(self, values: Pass, state: Tensor, seen: Tensor, turn: int) -> Tensor:
        block = iter(self._block(0 if self.is_tied else turn))
        if self.has_recall:
            state = next(block).apply(values, torch.cat([state, seen], 1))
        for _ in range(self.blocks):
            inner = torch.relu(next(block).apply(values, state))
            state = torch.relu(next(block).apply(values, inner) + state)
        return state

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
