"""Convolutions of stacks on a grid, in memory that is used again, with their gradients written out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor

from gendsl_runtime.train.layers.matmul import added, matmul
from gendsl_runtime.train.layers.window import Grid

RING = 3
"""States of as many channels that are alive at once: what is read, what is added, what is written."""


@dataclass(frozen=True, eq=False)
class Room:
    """A state's memory `(members, channels, total)` with a border of zeros, and views of it, which are slow to make."""

    grid: Grid
    memory: Tensor

    @cached_property
    def inside(self) -> Tensor:
        return self.grid.inside(self.memory)

    @cached_property
    def stretches(self) -> list[Tensor]:
        """What each place of the kernel sees of all places."""
        return [self.memory.narrow(2, shift, self.grid.stretch) for shift in self.grid.shifts]

    @cached_property
    def columns(self) -> list[Tensor]:
        return [stretch.transpose(1, 2) for stretch in self.stretches]

    @property
    def own(self) -> Tensor:
        """The stretch of the places themselves."""
        return self.stretches[len(self.stretches) // 2]


class Found(NamedTuple):
    """Memory for a product `(members, channels, stretch)`, and its places."""

    flat: Tensor
    places: Tensor


class Kernel:
    """A weight's part for each place of the kernel, and the same turned round."""

    def __init__(self, weight: Tensor, count: int) -> None:
        self.weight = weight
        self.parts = weight.chunk(count, 2)

    @cached_property
    def turned(self) -> list[Tensor]:
        return [part.transpose(1, 2) for part in reversed(self.parts)]


@dataclass
class Store:
    """Memory for one size of stack, lent and given back."""

    grid: Grid
    free: dict[int, list[Room]] = field(default_factory=lambda: defaultdict(list))
    products: dict[int, Found] = field(default_factory=dict)

    def lend(self, like: Tensor, channels: int) -> Room:
        """A room; what is inside its border may be anything."""
        free = self.free[channels]
        return free.pop() if free else Room(self.grid, like.new_zeros(len(like), channels, self.grid.total))

    def take(self, room: Room) -> None:
        """Take a room back."""
        self.free[room.memory.shape[1]].append(room)

    def entered(self, stack: Tensor) -> Room:
        room = self.lend(stack, stack.shape[1])
        room.inside.copy_(stack)
        return room

    def product(self, parts: Sequence[Tensor], stretches: Iterable[Tensor]) -> Tensor:
        """The sum of products as places, which are overwritten by the next one of as many channels."""
        (first, seen), *others = zip(parts, stretches, strict=True)
        into = self._product(first)
        matmul(first, seen, out=into.flat)
        for part, stretch in others:
            added(into.flat, part, stretch)
        return into.places

    def _product(self, part: Tensor) -> Found:
        members, channels, _ = part.shape
        if channels not in self.products:
            flat, row = (
                part.new_empty(members, channels, self.grid.stretch),
                self.grid.across * self.grid.examples,
            )
            places = flat.as_strided(
                (members, channels, self.grid.height, self.grid.width, self.grid.examples),
                (channels * self.grid.stretch, self.grid.stretch, row, self.grid.examples, 1),
            )
            self.products[channels] = Found(flat, places)
        return self.products[channels]


@dataclass
class Kernels:
    """Those of a pass."""

    count: int
    known: dict[int, Kernel] = field(default_factory=dict)

    def __call__(self, weight: Tensor) -> Kernel:
        if id(weight) not in self.known:
            self.known[id(weight)] = Kernel(weight, self.count)
        return self.known[id(weight)]


def _rectified(places: Tensor, plus: Room | None, into: Room, *, is_cut: bool) -> None:
    """`relu(places + plus)`, written into a room."""
    if plus is not None:
        torch.add(places, plus.inside, out=into.inside)
        if is_cut:
            into.inside.clamp_min_(0)
    elif is_cut:
        torch.clamp_min(places, 0, out=into.inside)
    else:
        into.inside.copy_(places)


def _left(room: Room) -> Tensor:
    return room.inside.clone(memory_format=torch.contiguous_format)


class Ring:
    """Without gradients. A state lives until `RING` more of as many channels were found; what is neither added to nor
    cut, as long as it is wanted."""

    def __init__(self, grid: Grid) -> None:
        self._store = Store(grid)
        self._kernels = Kernels(len(grid.shifts))
        self._rooms: dict[int, list[Room]] = defaultdict(list)

    def enter(self, stack: Tensor) -> Room:
        return self._store.entered(stack)

    def leave(self, state: Room) -> Tensor:
        return _left(state)

    def convolve(self, weight: Tensor, state: Room, plus: Room | None = None, *, is_cut: bool = True) -> Room:
        found = self._store.product(self._kernels(weight).parts, state.stretches)
        rooms = [] if plus is None and not is_cut else self._rooms[weight.shape[1]]
        into = rooms.pop(0) if len(rooms) == RING else self._store.lend(weight, weight.shape[1])
        rooms.append(into)
        _rectified(found, plus, into, is_cut=is_cut)
        return into


class Entry(NamedTuple):
    """A convolution that was computed."""

    kernel: Kernel
    state: Room
    plus: Room | None
    found: Room
    is_cut: bool


class Tape:
    """Remembers what was computed, for one way back."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kernels = Kernels(len(store.grid.shifts))
        self._entries: list[Entry] = []

    @property
    def grid(self) -> Grid:
        return self._store.grid

    @property
    def memory(self) -> list[Tensor]:
        """All that is remembered."""
        return [entry.found.memory for entry in self._entries]

    def enter(self, stack: Tensor) -> Room:
        """A room that the store does not see again."""
        return self._store.entered(stack)

    def leave(self, state: Room) -> Tensor:
        return _left(state)

    def convolve(self, weight: Tensor, state: Room, plus: Room | None = None, *, is_cut: bool = True) -> Room:
        kernel, into = self._kernels(weight), self._store.lend(weight, weight.shape[1])
        found = self._store.product(kernel.parts, state.stretches)
        _rectified(found, plus, into, is_cut=is_cut)
        self._entries.append(Entry(kernel, state, plus, into, is_cut))
        return into

    def pull(self, slopes: Tensor) -> dict[int, Tensor]:
        """The gradient of each weight, by its `id`, from the slopes of the last state's stack; weights that led nowhere
        are left out."""
        gradients: dict[int, list[Tensor]] = {}
        behind = {self._entries[-1].found: self._store.entered(slopes)}
        made = {entry.found for entry in self._entries}
        for entry in reversed(self._entries):
            slope = behind.pop(entry.found, None)
            if slope is None:
                continue
            if entry.is_cut:
                torch.ops.aten.threshold_backward.grad_input(
                    slope.inside, entry.found.inside, 0, grad_input=slope.inside
                )
            _weigh(gradients, entry, slope)
            if entry.state in made:
                self._pass(behind, entry.state, self._store.product(entry.kernel.turned, slope.stretches))
            if entry.plus in made:
                self._hand(behind, entry.plus, slope)
            else:
                self._store.take(slope)
        for entry in self._entries:
            self._store.take(entry.found)
        return {key: torch.cat(parts, 2) for key, parts in gradients.items()}

    def _pass(self, behind: dict[Room, Room], state: Room, found: Tensor) -> None:
        """Add slopes of a state."""
        if state in behind:
            behind[state].inside.add_(found)
        else:
            behind[state] = self._store.entered(found)

    def _hand(self, behind: dict[Room, Room], state: Room, slope: Room) -> None:
        """The same, where the room of the slopes may become the state's."""
        if state in behind:
            behind[state].inside.add_(slope.inside)
            self._store.take(slope)
        else:
            behind[state] = slope


def _weigh(gradients: dict[int, list[Tensor]], entry: Entry, slope: Room) -> None:
    """Add the gradient of a weight, a part for each place of the kernel."""
    key = id(entry.kernel.weight)
    if key not in gradients:
        gradients[key] = [matmul(slope.own, seen) for seen in entry.state.columns]
        return
    for part, seen in zip(gradients[key], entry.state.columns, strict=True):
        added(part, slope.own, seen)
