"""Steps of a stack on a device, recorded once and replayed: CUDA graphs.

A replay does again what was recorded, on the same memory and with the same Python numbers. So everything that changes
from step to step lies in a `Block` that is filled before each replay, and the step itself reads and writes memory of
the device alone. Data, orders, learning rates and results stay on the device; the host looks at them once an epoch.

A block is first taken as it is, which is what it needs to be recorded (torch: "CUDA semantics, CUDA Graphs"), then
recorded. The first replays are compared with the same steps taken as they are, bit for bit: a recording that does
anything else is dropped with a warning, and the stack goes on without.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Protocol

import torch
from torch import Tensor

from gendsl_runtime.python import codes
from gendsl_runtime.train.count import Count
from gendsl_runtime.train.member import Member
from gendsl_runtime.train.record import beaten

if TYPE_CHECKING:
    from gendsl_runtime.train.stack import Stack
    from gendsl_runtime.train.step import Step

LONGEST = 32
"""Most steps in one recording: enough to make its start cheap, few enough to record in a moment."""
WARM = 3
"""Steps of a width that are taken before any is recorded, as torch's documentation has it."""
DOUBTS = 2
"""Replays of a recording that are compared with the steps themselves: with the numbers it was made with, and others."""

Call = Callable[[], None]


class Recorder(Protocol):
    """How a device records."""

    def take(self, call: Call) -> None:
        """Call it as it is, where a recording would run."""
        ...

    def record(self, call: Call) -> Call:
        """Note what a call asks of the device, without doing it; the result does it, on the same memory."""
        ...


class CudaRecorder:
    """CUDA graphs. Each has memory of its own for what lies between its operations."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]

    def take(self, call: Call) -> None:
        """On the side stream that graphs are captured on."""
        current = torch.cuda.current_stream(self._device)
        self._stream.wait_stream(current)
        with torch.cuda.stream(self._stream):
            call()
        current.wait_stream(self._stream)

    def record(self, call: Call) -> Call:
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=self._stream):
            call()
        replay: Call = graph.replay
        return replay


def recorder(members: Sequence[Member], device: torch.device | str) -> Recorder | None:
    """The recorder of a stack; None on the CPU, and where code of the user's may do what cannot be recorded."""
    kind = torch.device(device)
    first = members[0]
    if kind.type != "cuda" or any(codes((first.model, first.loss, first.optimizer))):
        return None
    return CudaRecorder(kind)


class Shape(NamedTuple):
    """Of a block: examples in a batch, and steps."""

    width: int
    steps: int


@dataclass(frozen=True)
class Block:
    """What changes over a few steps (K) of one width (B), and what they saw."""

    index: Tensor
    """Which examples, int64 `(K, M, B)`."""
    rates: Tensor
    """Learning rates `(K, M, 1)`."""
    behind: Tensor
    """The steps before each, int64 `(K,)`."""
    losses: Tensor
    """`(K, M, B)`."""
    wrong: Tensor | None
    """`(K, M, B)`; None for a regression."""


@dataclass
class Accelerated:
    """The steps of one stack, in blocks. It holds the memory of its blocks, and must see the same stack each time."""

    recorder: Recorder
    step: Step
    numbers: Tensor
    """Of all steps, int64 `(T,)`."""
    is_trusted: bool = True
    """Whether recordings are made; they are not after one failed."""
    _orders: dict[int, Tensor] = field(default_factory=dict)
    """Of one epoch: the one under way, or the next."""
    _tables: dict[object, Tensor] = field(default_factory=dict)
    _blocks: dict[Shape, Block] = field(default_factory=dict)
    _replays: dict[Shape, Call] = field(default_factory=dict)
    _seen: set[Shape] = field(default_factory=set)
    """Shapes that were taken as they are: worth a recording when they come again."""
    _compared: Counter[Shape] = field(default_factory=Counter)
    _taken: Counter[int] = field(default_factory=Counter)
    """Steps of each width that were taken as they are."""

    @torch.no_grad()
    def run(self, stack: Stack, end: int, pause: Callable[[], bool]) -> None:
        """Train up to step `end` of the same epoch, or to the end of the block after which `pause` says so."""
        per_epoch = stack.feed.steps
        epoch = stack.steps // per_epoch
        index = self._order(stack, epoch)
        while stack.steps < end:
            behind = stack.steps - epoch * per_epoch
            shape = _shape(stack, behind, end - stack.steps)
            first = behind * stack.feed.step
            seen = slice(first, first + shape.width * shape.steps)
            block = self._filled(stack, shape, index[:, seen])
            self._go(stack, shape, block)
            _write(block.losses, stack.losses[:, seen])
            if block.wrong is not None and stack.wrong is not None:
                _write(block.wrong, stack.wrong[:, seen])
            stack.steps += shape.steps
            if pause():
                return
        if end == (epoch + 1) * per_epoch < len(self.numbers):
            # Shuffled while the device is still busy with this epoch.
            self._order(stack, epoch + 1)

    def _order(self, stack: Stack, epoch: int) -> Tensor:
        """Which examples the members see in an epoch, `(M, N)`."""
        if epoch not in self._orders:
            self._orders = {epoch: stack.feed.index(epoch)}
        return self._orders[epoch]

    def _filled(self, stack: Stack, shape: Shape, index: Tensor) -> Block:
        """The block of that shape, for the steps that come next, which see the examples `index` `(M, K B)`."""
        if shape not in self._blocks:
            self._blocks[shape] = _block(stack, shape)
        block = self._blocks[shape]
        coming = slice(stack.steps, stack.steps + shape.steps)
        block.index.copy_(index.view(-1, shape.steps, shape.width).transpose(0, 1))
        block.rates.copy_(stack.rates[:, coming].t()[:, :, None])
        block.behind.copy_(self.numbers[coming])
        return block

    def _go(self, stack: Stack, shape: Shape, block: Block) -> None:
        """Take the steps of a block: by its recording, or as they are."""
        call = partial(self._steps, stack, block)
        if self.is_trusted and shape in self._seen and self._taken[shape.width] >= WARM:
            self._record(shape, call)
        if shape not in self._replays:
            self._seen.add(shape)
            self._taken[shape.width] += shape.steps
            self.recorder.take(call)
        elif self._compared[shape] < DOUBTS:
            self._compared[shape] += 1
            self._compare(stack, shape, block, call)
        else:
            self._replays[shape]()

    def _record(self, shape: Shape, call: Call) -> None:
        """Make a recording, once. Memory that is short is the caller's to find."""
        if shape in self._replays:
            return
        try:
            self._replays[shape] = self.recorder.record(call)
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            self._distrust(f"a step could not be recorded ({str(error).splitlines()[0]})")

    def _compare(self, stack: Stack, shape: Shape, block: Block, call: Call) -> None:
        """Replay, then take the same steps as they are; what these find is kept."""
        state = list(_state(stack))
        before = [value.clone() for value in state]
        self._replays[shape]()
        results = [*state, block.losses, *(() if block.wrong is None else (block.wrong,))]
        replayed = [value.clone() for value in results]
        for value, old in zip(state, before, strict=True):
            value.copy_(old)
        self.recorder.take(call)
        if not all(_equal(*pair) for pair in zip(results, replayed, strict=True)):
            self._distrust("a recorded step does not do what the step does")

    def _distrust(self, why: str) -> None:
        self.is_trusted = False
        self._replays.clear()
        warnings.warn(f"{why}: training goes on without recordings, slower", RuntimeWarning, stacklevel=2)

    def _steps(self, stack: Stack, block: Block) -> None:
        """The steps of a block. Nothing here may ask the device for a number, or depend on one of the host's that
        changes."""
        for place in range(len(block.behind)):
            inputs, targets = stack.feed.gathered(block.index[place])
            behind = block.behind[place : place + 1]
            if stack.noise is not None:
                stack.noise.step.copy_(behind[0])
            count = Count(behind, len(self.numbers), stack.rates.dtype, self._tables)
            found = self.step(stack.buffers, inputs, targets, stack.noise, block.rates[place], count)
            for name, value in stack.buffers.items():
                value.copy_(found.buffers[name])
            block.losses[place].copy_(found.losses)
            if block.wrong is not None:
                block.wrong[place].copy_(beaten(found.outputs, targets))


def accelerated(stack: Stack, step: Step, recorder: Recorder) -> Accelerated:
    """For a stack whose parameters and slots `step` changes in place."""
    return Accelerated(recorder, step, torch.arange(stack.rates.shape[1], device=stack.rates.device))


def _shape(stack: Stack, behind: int, left: int) -> Shape:
    """Of the next block, so many steps into the epoch: whole batches together, a smaller last one alone."""
    feed = stack.feed
    whole = feed.examples // feed.step
    if behind >= whole:
        return Shape(feed.examples - whole * feed.step, 1)
    return Shape(feed.step, min(LONGEST, whole - behind, left))


def _block(stack: Stack, shape: Shape) -> Block:
    """Memory for a block."""
    rates, sizes = stack.rates, (shape.steps, len(stack.rates), shape.width)
    return Block(
        index=torch.empty(sizes, dtype=torch.int64, device=rates.device),
        rates=rates.new_empty(*sizes[:2], 1),
        behind=torch.empty(shape.steps, dtype=torch.int64, device=rates.device),
        losses=stack.losses.new_empty(sizes),
        wrong=None if stack.wrong is None else stack.wrong.new_empty(sizes),
    )


def _write(seen: Tensor, into: Tensor) -> None:
    """What the steps saw `(K, M, B)` into a table `(M, K B)`."""
    into.view(seen.shape[1], seen.shape[0], seen.shape[2]).copy_(seen.transpose(0, 1))


def _state(stack: Stack) -> Iterator[Tensor]:
    """What a step changes for the steps after it."""
    yield stack.parameters
    yield from stack.slots
    yield from stack.buffers.values()


def _equal(left: Tensor, right: Tensor) -> bool:
    """Whether two tensors have the same bits."""
    return torch.equal(left.contiguous().view(torch.uint8), right.contiguous().view(torch.uint8))
