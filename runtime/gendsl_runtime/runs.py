"""Trained runs as analyses see them: a stack of members with their data."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from gendsl_runtime.data import NO_LABEL, Dataset
from gendsl_runtime.network import Network, State, Tensors
from gendsl_runtime.problem import Problem

CACHE = 24e6
"""Bytes that one step or product of a stack should touch: about the last-level cache of one core (measured)."""
BLOCK = 512
"""Examples evaluated at once. Fixed, because the bits of a product may depend on its width: a split is always
evaluated in the same blocks, whatever the size of the stack and however the caller cuts it."""


@runtime_checkable
class Selectable(Protocol):
    """A loss with parameters of its own for each member."""

    def select(self, members: Tensor) -> Callable[[Tensor, Tensor], Tensor]:
        """The losses of some members, in that order."""
        ...


@dataclass(frozen=True)
class Runs:
    """M trained members of one architecture, with data of one shape.

    A result for a member must not depend on which other members are in the stack: draw random numbers per
    member from `gendsl_runtime.random` with `seeds`, and use `train/layers/matmul.py` for anything of GEMM
    kind.
    """

    network: Network
    state: State
    data: tuple[Dataset, ...]
    """One for each member, often the same object repeated."""
    seeds: tuple[int, ...]
    """The seed of each member's training."""
    loss: Callable[[Tensor, Tensor], Tensor]
    """The training loss: outputs `(M, C, B)` and targets `(M, B)` to losses `(M, B)`."""
    history: tuple[Mapping[str, Tensor], ...] = ()
    """For each member: `epoch`, `train_loss`, `train_error`... `(epochs run,)`, as recorded while
    training."""
    steps: tuple[int, ...] = ()
    """Steps each member was trained for."""
    stopped: tuple[bool, ...] = ()
    """Whether each member ended by its own stop condition, before its budget."""
    _splits: dict[str, tuple[Tensor, Tensor]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @property
    def members(self) -> int:
        return len(self.data)

    @property
    def device(self) -> torch.device:
        return next(iter(self.state.parameters.values())).device

    def repeated(self, times: int) -> Runs:
        """Every member `times` times in a row, `(M * times)` members: room for perturbed copies of
        parameters."""
        return self.select([member for member in range(self.members) for _ in range(times)])

    def select(self, members: Sequence[int]) -> Runs:
        """Some of the members, in that order."""
        index = torch.tensor(members, dtype=torch.int64, device=self.device)
        return replace(
            self,
            loss=self.loss.select(index) if isinstance(self.loss, Selectable) else self.loss,
            state=self.state.select(members),
            data=tuple(self.data[i] for i in members),
            seeds=tuple(self.seeds[i] for i in members),
            history=tuple(self.history[i] for i in members) if self.history else (),
            steps=tuple(self.steps[i] for i in members) if self.steps else (),
            stopped=tuple(self.stopped[i] for i in members) if self.stopped else (),
        )

    def split(self, name: str) -> tuple[Tensor, Tensor]:
        """Inputs `(M, N, *shape)` and targets `(M, N)` or `(M, N, outputs)` of a split; `fit` is all trained
        on.

        Shared data are expanded, not copied.
        """
        if name not in self._splits:
            inputs, targets = stacked(self.data, name, device=self.device)
            dtype = next(iter(self.state.parameters.values())).dtype
            targets = targets.to(dtype) if targets.is_floating_point() else targets
            inputs = inputs.to(dtype) if inputs.is_floating_point() else inputs
            self._splits[name] = inputs, targets
        return self._splits[name]

    def chunks(self, split: str) -> Iterator[tuple[Tensor, Tensor]]:
        """The same in pieces along N that fit the memory; evaluation in pieces gives the same bits as
        whole."""
        inputs, targets = self.split(split)
        for start in range(0, inputs.shape[1], BLOCK):
            yield inputs[:, start : start + BLOCK], targets[:, start : start + BLOCK]

    def outputs(self, inputs: Tensor, parameters: Tensors | None = None) -> Tensor:
        """Outputs `(M, C, N)`, of a labelling `(M, C, places, N)`, in evaluation mode, differentiable in `parameters`
        (the trained ones by default).

        Example i has the same bits in every call whose inputs agree in its block of 512 examples.
        """
        values = self.state.parameters if parameters is None else parameters
        pieces = [
            self.network.apply(values, self.state.buffers, piece, training=False)[0]
            for piece in torch.split(inputs, BLOCK, dim=1)
        ]
        return pieces[0] if len(pieces) == 1 else torch.cat(pieces, dim=-1)

    def losses(self, inputs: Tensor, targets: Tensor, parameters: Tensors | None = None) -> Tensor:
        """Training losses `(M, N)` in evaluation mode, differentiable in `parameters`."""
        return self.loss(self.outputs(inputs, parameters), targets)

    @torch.no_grad()
    def mean_loss(self, split: str, parameters: Tensors | None = None) -> Tensor:
        """Mean training loss `(M,)` over a split, float64 accumulation, no gradient."""
        sums = [self.losses(x, y, parameters).double().sum(1) for x, y in self.chunks(split)]
        return _total(sums) / self.split(split)[0].shape[1]

    def error(self, split: str, parameters: Tensors | None = None) -> Tensor:
        """Share of examples classified wrongly `(M,)`, in float64; of equal outputs the first one counts."""
        return self._wrong(split, parameters) / self.split(split)[0].shape[1]

    def accuracy(self, split: str, parameters: Tensors | None = None) -> Tensor:
        """Share of examples classified rightly `(M,)`, in float64."""
        examples = self.split(split)[0].shape[1]
        return (examples - self._wrong(split, parameters)) / examples

    @torch.no_grad()
    def _wrong(self, split: str, parameters: Tensors | None) -> Tensor:
        return _total(
            [mistakes(self.outputs(x, parameters), y).double().sum(1) for x, y in self.chunks(split)]
        )


@dataclass(frozen=True)
class Groups:
    """Runs that an analysis takes all together: for each result those along the axis that `over` names.

    An analysis with a first parameter `groups: Groups` and a parameter `over: AxisName` returns arrays with a
    leading axis of `len(groups.runs)`.
    """

    runs: tuple[Runs, ...]
    """One stack for every result; its members are the runs along the axis, in the axis' order."""
    labels: tuple[str | int | float, ...]
    """The labels of the axis, one for each member."""


def mistakes(outputs: Tensor, targets: Tensor) -> Tensor:
    """Whether each example is classified wrongly, `(members, examples)`; of equal outputs the first one counts.

    Of a labelling, outputs `(members, classes, places, examples)` and labels `(members, examples, places)`, whether any
    place that is asked about is.
    """
    # `max` rather than `argmax`, which is twenty times slower along this axis. An output that is not a number makes the
    # largest one such, and would name its own class.
    largest, found = outputs.max(1)
    if outputs.ndim == 3:
        return (found != targets) | largest.isnan()
    labels = targets.movedim(-1, 1)
    return (((found != labels) | largest.isnan()) & (labels != NO_LABEL)).any(1)


def stacked(data: tuple[Dataset, ...], name: str, *, device: torch.device | str) -> tuple[Tensor, Tensor]:
    """Inputs `(M, N, *shape)` and targets of one split of every member's data; one shared dataset is
    expanded."""
    first = data[0].split(name)
    if all(other is data[0] for other in data[1:]):
        inputs, targets = first.inputs.to(device), first.targets.to(device)
        return inputs.expand(len(data), *inputs.shape), targets.expand(len(data), *targets.shape)
    splits = [item.split(name) for item in data]
    sizes = sorted({len(split) for split in splits})
    if len(sizes) > 1:
        raise Problem(
            "wrong-shape",
            f"the split `{name}` of runs that are taken together has from {sizes[0]} to {sizes[-1]} examples",
            help="take a split that is the same for all: `on=test`",
        )
    return torch.stack([s.inputs for s in splits]).to(device), torch.stack([s.targets for s in splits]).to(
        device
    )


def _total(sums: list[Tensor]) -> Tensor:
    """Left to right, so that the bits depend on the blocks alone."""
    total = sums[0]
    for term in sums[1:]:
        total = total + term
    return total
