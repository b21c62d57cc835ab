"""Which examples each member sees at each step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from gendsl_runtime.data import Split
from gendsl_runtime.random import permutation
from gendsl_runtime.train.member import Member

GATHER = 1 << 18
"""Bytes of inputs gathered at once: many steps for one `index_select`, few enough to stay in the nearest
cache."""


def order(seed: int, epoch: int, examples: int) -> np.ndarray:
    """The order `(examples,)` in which the member with `seed` sees its data in an epoch (from 0)."""
    return permutation("order", seed, epoch, count=examples)


@dataclass(frozen=True)
class Feed:
    """The training data of a stack: every distinct dataset once, and where each member's begins."""

    inputs: Tensor
    """`(rows, *shape)`; tokens stay whole numbers."""
    targets: Tensor
    """`(rows,)` or `(rows, outputs)`."""
    offsets: tuple[int, ...]
    seeds: tuple[int, ...]
    examples: int
    batch: int | None
    _kept: dict[int, Tensor] = field(default_factory=dict, repr=False)
    """Memory that inputs are gathered into, again and again."""

    @property
    def step(self) -> int:
        """Examples of a whole batch."""
        return self.examples if self.batch is None else min(self.batch, self.examples)

    @property
    def steps(self) -> int:
        """Steps of an epoch."""
        return -(-self.examples // self.step)

    def select(self, members: Sequence[int]) -> Feed:
        """The feed of some members."""
        offsets, seeds = (tuple(values[m] for m in members) for values in (self.offsets, self.seeds))
        return Feed(self.inputs, self.targets, offsets, seeds, self.examples, self.batch)

    def block(self, members: Sequence[int], start: int, width: int) -> tuple[Tensor, Tensor]:
        """Examples `start` to `start + width` of some members, in the order of the data; shared ones are
        expanded, not copied."""
        stop = min(self.examples, start + width)
        offsets = [self.offsets[member] for member in members]
        if len(set(offsets)) == 1:
            part = slice(offsets[0] + start, offsets[0] + stop)
            inputs, targets = self.inputs[part], self.targets[part]
            return inputs.expand(len(members), *inputs.shape), targets.expand(len(members), *targets.shape)
        rows = (torch.tensor(offsets)[:, None] + torch.arange(start, stop)).to(self.inputs.device)
        # `index_select` is several times faster than indexing.
        chosen = (values.index_select(0, rows.flatten()) for values in (self.inputs, self.targets))
        inputs, targets = (values.view(*rows.shape, *values.shape[1:]) for values in chosen)
        return inputs, targets

    def batches(self, epoch: int, first: int, last: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Batches `first` to `last` (excluded) of an epoch: inputs `(M, B, *shape)`, targets `(M, B, ...)`.

        How many steps are gathered at once depends on the size of the stack; what a batch holds does not. The
        inputs of a batch are overwritten by later ones.
        """
        stop = min(self.examples, last * self.step)
        index = self.index(epoch)
        width = max(1, GATHER // (len(self.seeds) * self.step * self.inputs[0].numel() * 4)) * self.step
        for start in range(first * self.step, stop, width):
            inputs, targets = self.gathered(index[:, start : min(start + width, stop)])
            yield from zip(torch.split(inputs, self.step, 1), torch.split(targets, self.step, 1), strict=True)

    def index(self, epoch: int) -> Tensor:
        """The rows of `inputs` that each member sees in an epoch, in order, int64 `(M, N)`."""
        if self.batch is None:
            rows = torch.arange(self.examples).expand(len(self.seeds), -1)
        else:
            # Members of one seed, the points of a sweep, see one order.
            orders = {seed: order(seed, epoch, self.examples) for seed in set(self.seeds)}
            rows = torch.from_numpy(np.stack([orders[seed] for seed in self.seeds]))
        return (rows + torch.tensor(self.offsets)[:, None]).to(self.inputs.device, non_blocking=True)

    def gathered(self, index: Tensor) -> tuple[Tensor, Tensor]:
        """Inputs and targets of rows `(M, B)`; the inputs are overwritten by later ones of as many rows."""
        flat = index.reshape(-1)
        if len(flat) not in self._kept:
            self._kept[len(flat)] = self.inputs.new_empty(len(flat), *self.inputs.shape[1:])
        inputs = torch.index_select(self.inputs, 0, flat, out=self._kept[len(flat)])
        targets = self.targets.index_select(0, flat)
        return inputs.view(*index.shape, *inputs.shape[1:]), targets.view(*index.shape, *targets.shape[1:])


def feed(members: Sequence[Member], *, device: torch.device | str, dtype: torch.dtype) -> Feed:
    """The feed of a stack; members with one data digest share one copy of the data."""
    first: dict[bytes, int] = {}
    distinct: list[Split] = []
    for member in members:
        if member.data_digest not in first:
            first[member.data_digest] = len(distinct)
            distinct.append(member.data.split("fit"))
    examples = len(distinct[0])
    inputs = torch.cat([split.inputs for split in distinct]).to(device)
    targets = torch.cat([split.targets for split in distinct]).to(device)
    return Feed(
        inputs=inputs.to(dtype) if inputs.is_floating_point() else inputs,
        targets=targets.to(dtype) if targets.is_floating_point() else targets,
        offsets=tuple(first[member.data_digest] * examples for member in members),
        seeds=tuple(member.seed for member in members),
        examples=examples,
        batch=members[0].batch,
    )
