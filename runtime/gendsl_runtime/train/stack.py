"""A stack of members in training: its values, its data, and the step that all of them take together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from gendsl_runtime.device import reproducible
from gendsl_runtime.network import Network, State, Tensors, joined
from gendsl_runtime.noise import Noise, noise
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Runs
from gendsl_runtime.train import build
from gendsl_runtime.train.accelerate import Accelerated, Recorder, accelerated, recorder
from gendsl_runtime.train.adopting import Adopting
from gendsl_runtime.train.fitted import Diverged
from gendsl_runtime.train.flat import Layout, layout, rows
from gendsl_runtime.train.member import Member
from gendsl_runtime.train.optimizer import Optimizer
from gendsl_runtime.train.order import Feed, feed
from gendsl_runtime.train.record import Record
from gendsl_runtime.train.search import Search, search
from gendsl_runtime.train.step import Step, step


@dataclass
class Stack:
    """Members in lockstep. `parameters`, `gradients` and `slots` are `(M, P)`, a member a row."""

    members: tuple[Member, ...]
    network: Network
    layout: Layout
    parameters: Tensor
    buffers: Tensors
    slots: tuple[Tensor, ...]
    optimizer: Optimizer | Search
    rates: Tensor
    """Learning rates `(M, T)`, one for each step."""
    loss: build.StackedLoss
    feed: Feed
    losses: Tensor
    """Losses `(M, N)` of the epoch's examples in the order seen."""
    wrong: Tensor | None
    """Whether each was classified wrongly `(M, N)`; None for a regression."""
    noise: Noise | None = None
    """Random numbers of the pass, where the network draws any: a function of seed and step alone."""
    steps: int = 0
    guesses: Tensor | None = None
    """Of a search, the guesses up to the one each member kept, as of the last step, float64 `(M,)`."""
    _step: Step | None = None
    """Made when first needed: it holds views of the parameters, and memory for this number of members."""
    recorder: Recorder | None = None
    """How steps are recorded and replayed; None on the CPU."""
    _accelerated: Accelerated | None = None

    def run(self, end: int, *, pause: Callable[[], bool] = lambda: False) -> None:
        """Train up to step `end` of the same epoch, or to the step after which `pause` says so."""
        if isinstance(self.optimizer, Search):
            search(self, self.optimizer, end, pause)
            return
        epoch, first = divmod(self.steps, self.feed.steps)
        if self._step is None:
            self._step = step(
                self.network, self.layout, self.parameters, self.slots, self.optimizer, self.loss
            )
        if self.recorder is not None:
            if self._accelerated is None:
                self._accelerated = accelerated(self, self._step, self.recorder)
            self._accelerated.run(self, end, pause)
            return
        # Everything that a step indexes is cut up beforehand: slicing costs as much as computing on a small
        # network.
        rates = torch.split(self.rates[:, self.steps : end], 1, 1)
        record = Record(self.losses, self.wrong, first * self.feed.step)
        batches = self.feed.batches(epoch, first, first + end - self.steps)
        with torch.inference_mode(self._step.is_graphless), torch.no_grad():
            for (inputs, targets), rate in zip(batches, rates, strict=True):
                if self.noise is not None:
                    self.noise.step.fill_(self.steps)
                self.steps += 1
                found = self._step(self.buffers, inputs, targets, self.noise, rate, self.steps)
                self.buffers = found.buffers
                record.add(found.outputs, found.losses, targets)
                if pause():
                    break
            record.write()
        # What was made in inference mode can enter no graph, and buffers will enter those of analyses.
        self.buffers = {
            name: value.clone() if value.is_inference() else value for name, value in self.buffers.items()
        }

    def means(self) -> Tensors:
        """Mean loss and share wrong `(M,)` over the part of the epoch that is behind, in float64."""
        seen = self._seen()
        means = {"train_loss": self.losses[:, :seen].double().sum(1) / seen}
        if self.wrong is not None:
            means["train_error"] = self.wrong[:, :seen].double().sum(1) / seen
        if self.guesses is not None:
            means["guesses"] = self.guesses
        return means

    def diverged(self) -> dict[int, Diverged]:
        """Members whose loss has left the finite numbers in this epoch, and the step at which it did."""
        seen = self.losses[:, : self._seen()]
        if bool(seen.sum().isfinite()):
            return {}
        finite = seen.isfinite()
        per_epoch = self.feed.steps
        before = (self.steps - 1) // per_epoch * per_epoch
        found = {}
        for row, is_fine in enumerate(finite.all(1).tolist()):
            if not is_fine:
                step = before + int(finite[row].int().argmin()) // self.feed.step + 1
                found[row] = Diverged(step, "the loss is not finite")
        return found

    def unfinished(self, row: int) -> Diverged | None:
        """What is said of a member at the end of its budget that has not met its `stop`, where it had to."""
        member = self.members[row]
        if not isinstance(self.optimizer, Search) or not member.conditions:
            return None
        count = self.steps * self.optimizer.population
        return Diverged(self.steps, f"none of {count:,} guesses meets its `stop`", "nothing-found")

    def _seen(self) -> int:
        """Examples of the epoch that are behind."""
        per_epoch = self.feed.steps
        return min(((self.steps - 1) % per_epoch + 1) * self.feed.step, self.feed.examples)

    def state(self, row: int) -> State:
        """A copy of one member's state, on the CPU, M = 1."""
        parameters = self.layout.views(self.parameters[row : row + 1])
        buffers = {name: value[row : row + 1] for name, value in self.buffers.items()}
        return State(
            {name: value.clone().contiguous().cpu() for name, value in parameters.items()},
            {name: value.clone().contiguous().cpu() for name, value in buffers.items()},
        )

    def runs(self, members: Sequence[int]) -> Runs:
        """Some members as an analysis sees them, at this moment."""
        index = torch.tensor(members, device=self.parameters.device)
        state = State(self.layout.views(self.parameters), self.buffers).select(index)
        chosen = [self.members[row] for row in members]
        data = tuple(member.data for member in chosen)
        return Runs(self.network, state, data, tuple(m.seed for m in chosen), self.loss.select(index))

    def select(self, members: Sequence[int]) -> Stack:
        """The same stack with only these members: compaction."""
        index = torch.tensor(members, dtype=torch.int64, device=self.parameters.device)
        chosen = tuple(self.members[row] for row in members)
        if not chosen:
            return replace(self, members=())
        device, dtype = self.parameters.device, self.parameters.dtype
        return replace(
            self,
            members=chosen,
            parameters=self.parameters.index_select(0, index),
            buffers={name: value.index_select(0, index) for name, value in self.buffers.items()},
            slots=tuple(slot.index_select(0, index) for slot in self.slots),
            optimizer=build.optimizer(chosen, device=device, dtype=dtype),
            rates=self.rates.index_select(0, index),
            loss=self.loss.select(index),
            feed=self.feed.select(members),
            losses=self.losses.index_select(0, index),
            wrong=None if self.wrong is None else self.wrong.index_select(0, index),
            noise=None if self.noise is None else self.noise.select(index),
            guesses=None if self.guesses is None else self.guesses[list(members)],
            _step=None,
            _accelerated=None,
        )


def _same_sizes(members: Sequence[Member], fresh: State) -> None:
    """Fails where a member is to start from the weights of a network of other sizes."""
    wanted = {name: tensor.shape[1:] for name, tensor in {**fresh.parameters, **fresh.buffers}.items()}
    for member in members:
        if member.init is not None:
            given = {**member.init.parameters, **member.init.buffers}
            if wanted != {name: tensor.shape[1:] for name, tensor in given.items()}:
                raise Problem(
                    "wrong-shape",
                    "the run in `init` has weights of other sizes than this one",
                    help="give both runs the same model and data of the same shape",
                )


def _adopted(network: Adopting, member: Member, fresh: State) -> Member:
    if member.init is None:
        return member
    return replace(member, init=network.adopt(member.init, fresh, member.seed))


def start(members: Sequence[Member], *, device: torch.device | str, dtype: torch.dtype) -> Stack:
    """A stack before its first step; a member with `init` starts from that state."""
    reproducible(str(device))
    network = build.network(members[0])
    state = network.init([member.seed for member in members])
    if any(member.init for member in members):
        if isinstance(network, Adopting):
            members = [_adopted(network, one, state.member(row)) for row, one in enumerate(members)]
        _same_sizes(members, state)
        # The fresh state comes first and is dropped again: its order of names is the layout's.
        given = [state, *(member.init or state.member(row) for row, member in enumerate(members))]
        state = joined(given).select(range(len(members), 2 * len(members)))
    state = state.to(device, dtype)
    optimizer = build.optimizer(members, device=device, dtype=dtype)
    is_plain = isinstance(optimizer, Search) or getattr(network, "is_varying", False)
    parameters = rows(list(state.parameters.values()))
    examples = members[0].examples
    has_labels = members[0].data.task != "regression"
    return Stack(
        members=tuple(members),
        network=network,
        layout=layout(state.parameters),
        parameters=parameters,
        buffers=state.buffers,
        slots=tuple(torch.zeros_like(parameters) for _ in range(optimizer.slots)),
        optimizer=optimizer,
        rates=(optimizer.rate[:, None] * optimizer.schedule).to(dtype),
        loss=build.loss(members, device=device, dtype=dtype),
        feed=feed(members, device=device, dtype=dtype),
        losses=torch.empty(len(members), examples, dtype=dtype, device=device),
        wrong=torch.empty(len(members), examples, dtype=torch.bool, device=device) if has_labels else None,
        noise=noise([member.seed for member in members], device=device) if network.is_noisy else None,
        recorder=None if is_plain else recorder(members, device),
    )
