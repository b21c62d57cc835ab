"""Convolutions of stacks on a grid, in memory that is used again, with their gradients written out."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor

from gendsl_runtime.train.layers.matmul import added, matmul
from gendsl_runtime.train.layers.window import Grid

RING = 3
"""States of as many channels that are alive at once: what is read, what is added, what is written."""


def _rectified(grid: Grid, found: Tensor, plus: Tensor | None, into: Tensor, *, is_cut: bool) -> Tensor:
    """`relu(found + plus)` written into memory with a border: a product, and memory of the same places."""
    places, inside = _strided(grid, found), grid.inside(into)
    if plus is not None:
        torch.add(places, grid.inside(plus), out=inside)
        if is_cut:
            inside.clamp_min_(0)
    elif is_cut:
        torch.clamp_min(places, 0, out=inside)
    else:
        inside.copy_(places)
    return into


def _strided(grid: Grid, found: Tensor) -> Tensor:
    """The places of a product `(members, channels, stretch)`, without a copy."""
    members, channels, stretch = found.shape
    row = grid.across * grid.examples
    return found.contiguous().as_strided(
        (members, channels, grid.height, grid.width, grid.examples),
        (channels * stretch, stretch, row, grid.examples, 1),
    )


@dataclass
class Ring:
    """Without gradients. A state lives until `RING` more of as many channels were found; what is neither added to nor
    cut, as long as it is wanted."""

    grid: Grid
    rooms: dict[int, list[Tensor]] = field(default_factory=lambda: defaultdict(list))

    def enter(self, stack: Tensor) -> Tensor:
        """Memory of its own."""
        memory = stack.new_zeros(*stack.shape[:2], self.grid.total)
        self.grid.inside(memory).copy_(stack)
        return memory

    def leave(self, state: Tensor) -> Tensor:
        return self.grid.inside(state).clone(memory_format=torch.contiguous_format)

    def convolve(
        self, weight: Tensor, state: Tensor, plus: Tensor | None = None, *, is_cut: bool = True
    ) -> Tensor:
        members, outputs, _ = weight.shape
        rooms = [] if plus is None and not is_cut else self.rooms[outputs]
        into = rooms.pop(0) if len(rooms) == RING else state.new_zeros(members, outputs, self.grid.total)
        rooms.append(into)
        return _rectified(self.grid, self.grid.product(weight, state), plus, into, is_cut=is_cut)


class Entry(NamedTuple):
    """A convolution that was computed."""

    weight: Tensor
    state: Tensor
    plus: Tensor | None
    found: Tensor
    is_cut: bool


@dataclass
class Store:
    """Memory with a border of zeros, lent and given back."""

    grid: Grid
    free: dict[tuple[int, int], list[Tensor]] = field(default_factory=lambda: defaultdict(list))

    def lend(self, like: Tensor, channels: int) -> Tensor:
        """`(members, channels, total)`; what is inside the border may be anything."""
        free = self.free[len(like), channels]
        return free.pop() if free else like.new_zeros(len(like), channels, self.grid.total)

    def take(self, memory: Tensor) -> None:
        """Take it back."""
        self.free[memory.shape[0], memory.shape[1]].append(memory)


@dataclass
class Tape:
    """Remembers what was computed, for one way back."""

    store: Store
    entries: list[Entry] = field(default_factory=list)

    @property
    def grid(self) -> Grid:
        return self.store.grid

    @property
    def memory(self) -> list[Tensor]:
        """All that is remembered."""
        return [entry.found for entry in self.entries]

    def enter(self, stack: Tensor) -> Tensor:
        memory = self.store.lend(stack, stack.shape[1])
        self.grid.inside(memory).copy_(stack)
        return memory

    def leave(self, state: Tensor) -> Tensor:
        return self.grid.inside(state).clone(memory_format=torch.contiguous_format)

    def convolve(
        self, weight: Tensor, state: Tensor, plus: Tensor | None = None, *, is_cut: bool = True
    ) -> Tensor:
        into = self.store.lend(state, weight.shape[1])
        _rectified(self.grid, self.grid.product(weight, state), plus, into, is_cut=is_cut)
        self.entries.append(Entry(weight, state, plus, into, is_cut))
        return into

    def pull(self, slopes: Tensor) -> dict[int, Tensor]:
        """The gradient of each weight, by its `id`, from the slopes of the last state's stack; weights that led nowhere
        are left out."""
        gradients: dict[int, list[Tensor]] = {}
        last = self.entries[-1].found
        behind = {id(last): self.enter(slopes)}
        made = {id(memory) for memory in self.memory}
        for entry in reversed(self.entries):
            if id(entry.found) not in behind:
                continue
            slope = behind.pop(id(entry.found))
            if entry.is_cut:
                inside = self.grid.inside(slope)
                torch.ops.aten.threshold_backward.grad_input(
                    inside, self.grid.inside(entry.found), 0, grad_input=inside
                )
            self._weigh(gradients, entry, slope)
            if id(entry.state) in made:
                self._pass(behind, entry.state, _strided(self.grid, self._turned(entry.weight, slope)))
            if entry.plus is not None and id(entry.plus) in made:
                self._hand(behind, entry.plus, slope)
            else:
                self.store.take(slope)
        for entry in self.entries:
            self.store.take(entry.found)
        return {key: torch.cat(parts, 2) for key, parts in gradients.items()}

    def _weigh(self, gradients: dict[int, list[Tensor]], entry: Entry, slope: Tensor) -> None:
        """Add the gradient of the weight, a part for each place of the kernel."""
        grid = self.grid
        own = slope.narrow(2, grid.shifts[len(grid.shifts) // 2], grid.stretch)
        seen = [entry.state.narrow(2, shift, grid.stretch).transpose(1, 2) for shift in grid.shifts]
        before = gradients.get(id(entry.weight))
        if before is None:
            gradients[id(entry.weight)] = [matmul(own, one) for one in seen]
        else:
            for part, one in zip(before, seen, strict=True):
                added(part, own, one)

    def _turned(self, weight: Tensor, slope: Tensor) -> Tensor:
        """Slopes of what a convolution saw: the convolution of those of its outputs with the kernel turned round."""
        grid = self.grid
        parts = weight.chunk(len(grid.shifts), 2)
        first, *others = zip(reversed(parts), grid.shifts, strict=True)
        found = matmul(first[0].transpose(1, 2), slope.narrow(2, first[1], grid.stretch))
        for part, shift in others:
            found = added(found, part.transpose(1, 2), slope.narrow(2, shift, grid.stretch))
        return found

    def _pass(self, behind: dict[int, Tensor], state: Tensor, found: Tensor) -> None:
        """Add slopes of a state."""
        if id(state) in behind:
            self.grid.inside(behind[id(state)]).add_(found)
        else:
            behind[id(state)] = self.enter(found)

    def _hand(self, behind: dict[int, Tensor], state: Tensor, slope: Tensor) -> None:
        """The same, where the memory of the slopes may become the state's."""
        if id(state) in behind:
            self.grid.inside(behind[id(state)]).add_(self.grid.inside(slope))
            self.store.take(slope)
        else:
            behind[id(state)] = slope
