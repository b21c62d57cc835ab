"""Training without gradients: networks are drawn, and the first that will do is kept.

The guesses of a member are numbered from 1 and come in blocks of a fixed size, each from a stream of its own: guess
number n is a function of the member's seed and n alone, whatever the population, the number evaluated at once, or the
company. A member's population is a stack in itself, so members of a stack are guessed for one after another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from gendsl_runtime.network import State
from gendsl_runtime.random import generator
from gendsl_runtime.runs import CACHE, Runs
from gendsl_runtime.train.conditions import met
from gendsl_runtime.train.record import beaten

if TYPE_CHECKING:
    from gendsl_runtime.train.stack import Stack

BLOCK = 64
"""Guesses that are drawn from one stream."""
GROWTH = 4
"""How many times more guesses are evaluated together after some of which none would do: the first may."""
MOST = 4096
"""Guesses evaluated together at most."""

Draw = Callable[[int, np.random.Generator, tuple[int, int]], np.ndarray]
"""`draw(row, chance, (guesses, P))`: the parameters of some guesses for a member of the stack, float32, a guess a
row."""


@dataclass(frozen=True)
class Search:
    """An optimizer component that takes no gradients returns one, in place of an `Optimizer`."""

    draw: Draw
    population: int
    """Guesses of a step."""
    rate: Tensor
    """Zeros `(M,)`: there are no learning rates, and nothing is remembered from step to step."""
    slots: int = 0

    @property
    def schedule(self) -> Tensor:
        """None of them changes."""
        return torch.ones(len(self.rate), 1)


@dataclass(frozen=True)
class Guess:
    """A guess that will do."""

    number: int
    """Which of the member's guesses it is, from 1."""
    parameters: Tensor
    """`(P,)`"""


def search(stack: Stack, how: Search, end: int, pause: Callable[[], bool]) -> None:
    """Take steps up to number `end`, or to that after which `pause` says so: for every member a population each.

    The first guess that meets a member's `stop` becomes its parameters, and without a `stop` the first one; where none
    does they stay as they are. Losses and errors recorded are those after the step, in evaluation mode.
    """
    while stack.steps < end:
        before = stack.steps * how.population
        guesses = [before + how.population] * len(stack.members)
        for row in range(len(stack.members)):
            found = first(stack, how, row, after=before)
            if found is not None:
                stack.parameters[row] = found.parameters
                guesses[row] = found.number
        stack.steps += 1
        stack.guesses = torch.tensor(guesses, dtype=torch.float64)
        _record(stack)
        if pause():
            return


@torch.no_grad()
def first(stack: Stack, how: Search, row: int, *, after: int) -> Guess | None:
    """The first of a member's next guesses, those after number `after`, that meets its `stop`."""
    member, one = stack.members[row], stack.runs([row])
    for start, count in spans(how.population, most=together(stack.layout.width)):
        values = drawn(how, row, member.seed, after + start, count, stack.layout.width)
        matrix = torch.from_numpy(values).to(stack.parameters.device, stack.parameters.dtype)
        buffers = {
            name: value.expand(count, *value.shape[1:]).clone() for name, value in one.state.buffers.items()
        }
        population = Runs(
            network=stack.network,
            state=State(stack.layout.views(matrix), buffers),
            data=(member.data,) * count,
            seeds=(member.seed,) * count,
            loss=stack.loss.select(torch.full((count,), row, device=matrix.device)),
        )
        places = met(population, member.conditions)
        if len(places):
            place = int(places[0])
            return Guess(after + start + place + 1, matrix[place])
    return None


def drawn(how: Search, row: int, seed: int, after: int, count: int, width: int) -> np.ndarray:
    """The parameters of guesses `after + 1` to `after + count` of the member with `seed`, float32 `(count, width)`."""
    blocks = range(after // BLOCK, -(-(after + count) // BLOCK))
    values = [how.draw(row, generator("guess", seed, block), (BLOCK, width)) for block in blocks]
    whole = values[0] if len(values) == 1 else np.concatenate(values)
    begin = after - blocks[0] * BLOCK
    return whole[begin : begin + count]


def together(width: int) -> int:
    """How many guesses of so many parameters to evaluate together: as many as the cache holds twice over."""
    return min(MOST, max(BLOCK, int(CACHE / (8 * width)) // BLOCK * BLOCK))


def spans(population: int, *, most: int) -> Iterator[tuple[int, int]]:
    """A population in pieces, each where it starts and how many it holds: few at first, later as many as `most`."""
    start, count = 0, BLOCK
    while start < population:
        yield start, min(count, population - start)
        start += count
        count = min(count * GROWTH, most)


@torch.no_grad()
def _record(stack: Stack) -> None:
    """Writes down losses and errors on everything trained on."""
    runs = stack.runs(range(len(stack.members)))
    inputs, targets = runs.split("fit")
    outputs = runs.outputs(inputs)
    stack.losses.copy_(runs.loss(outputs, targets))
    if stack.wrong is not None:
        stack.wrong.copy_(beaten(outputs, targets))
