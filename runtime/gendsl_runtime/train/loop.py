"""Training a stack of members.

A member's numbers depend on its own specification alone: every operation treats members apart, and members
that finish, stop or diverge are dropped from the stack (compaction), which changes no bit of the others.

History: at the end of each epoch, and of the budget where that falls inside one, `train_loss` is the mean
loss over the epoch's examples and `train_error` the share classified wrongly, each taken on its batch just
before the step, in training mode: what the run saw, at no cost. An output that ties with the label's is an
error there. The metrics of `stop` are measured differently, on everything trained on (the splits in `fit`),
in evaluation mode, after each whole epoch.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from time import monotonic

import torch

from gendsl_runtime.network import State
from gendsl_runtime.numerics import mode
from gendsl_runtime.problem import Problem
from gendsl_runtime.train.checkpoint import Going, Keeper, restore
from gendsl_runtime.train.fitted import Diverged, Fitted
from gendsl_runtime.train.fuse import stacks
from gendsl_runtime.train.glimpse import Glimpses, Point, point
from gendsl_runtime.train.interrupt import requested
from gendsl_runtime.train.member import Member
from gendsl_runtime.train.stack import Stack, start
from gendsl_runtime.train.stopping import Stopping

Progress = Callable[[int, int], None]
"""Told the steps that are done and the steps there are, over all members."""
PULSE = 1.0
"""Seconds between two signs of progress within an epoch."""


def fit(
    members: Sequence[Member],
    *,
    device: str = "cpu",
    progress: Progress | None = None,
    fuse: bool = True,
    dtype: torch.dtype = torch.float32,
) -> list[Fitted | Diverged]:
    """Train members, in stacks where that pays; results in the order given.

    `fuse=False` trains them one by one, with the same bits.
    """
    if device == "cpu" and mode() == "free":
        raise Problem(
            "numerics-unsettled",
            "torch multiplied matrices before GenDSL could make its products reproducible",
            help="import gendsl before any other use of torch, or set MKL_CBWR=AVX2,STRICT",
        )
    groups = stacks(members, device=device) if fuse else [[index] for index in range(len(members))]
    total = sum(member.steps for member in members)
    done = 0
    results: dict[int, Fitted | Diverged] = {}
    for group in groups:
        chosen = [members[index] for index in group]

        def tell(steps: int, before: int = done) -> None:
            if progress is not None:
                progress(before + steps, total)

        results.update(zip(group, train(chosen, device=device, dtype=dtype, tell=tell), strict=True))
        done += sum(member.steps for member in chosen)
        tell(0, done)
    return [results[index] for index in range(len(members))]


def train(
    members: Sequence[Member],
    *,
    device: str,
    dtype: torch.dtype,
    tell: Callable[[int], None],
    keeper: Keeper | None = None,
    glimpses: Glimpses | None = None,
) -> list[Fitted | Diverged]:
    """Train members of one static key: as one stack, but for those that a checkpoint has at another step.

    `tell` hears of the steps behind all of them, `glimpses` of the losses as well. With a `keeper`, the first
    Ctrl-C or SIGTERM ends in a `KeyboardInterrupt` after a step, with that step's checkpoint written.
    """
    found = {} if keeper is None else keeper.found()
    results: dict[int, Fitted | Diverged] = {}
    groups: dict[int, dict[int, Going | None]] = defaultdict(dict)
    for place in range(len(members)):
        match found.get(place):
            case Fitted() | Diverged() as ended:
                results[place] = ended
            case under_way:
                groups[under_way.steps if under_way else 0][place] = under_way
    with nullcontext(()) if keeper is None else requested() as asked:
        # The furthest first. Results are shared, so that a checkpoint has those of the stacks before it too.
        for _, group in sorted(groups.items(), reverse=True):
            stack = start([members[place] for place in group], device=device, dtype=dtype)
            going = [one for one in group.values() if one is not None]
            course = Course(members, stack, places=group, results=results, going=going)
            _end(course, tell, keeper, asked, glimpses)
    return [results[place] for place in range(len(members))]


def _end(
    course: Course,
    tell: Callable[[int], None],
    keeper: Keeper | None,
    asked: Sequence[int],
    glimpses: Glimpses | None,
) -> None:
    """Train a stack to its end."""
    wait = 0.0

    def pause() -> bool:
        nonlocal wait
        now = monotonic()
        if now < wait and not asked:
            return False
        wait = now + PULSE if keeper is None else min(now + PULSE, keeper.due)
        tell(course.done)
        return keeper is not None and (bool(asked) or now >= keeper.due)

    if keeper is not None:
        keeper.begin(course.stack)
    tell(course.done)
    while course.stack.members:
        course.advance(pause)
        if glimpses is not None:
            glimpses.heard(course.done, len(course.places), course.latest)
        if keeper is not None and (asked or (course.stack.members and monotonic() >= keeper.due)):
            keeper.keep(course)
        if asked:
            raise KeyboardInterrupt
        tell(course.done)


def _never() -> bool:
    return False


class Course:
    """A stack on its way: who is still in it, and what became of the others."""

    def __init__(
        self,
        members: Sequence[Member],
        stack: Stack,
        *,
        places: Iterable[int] | None = None,
        results: dict[int, Fitted | Diverged] | None = None,
        going: Sequence[Going] = (),
    ) -> None:
        """The stack holds the members at `places` (all of them), and goes on from `going` where that is given."""
        self.stack = stack
        self.stopping = Stopping()
        self.places = list(range(len(members)) if places is None else places)
        self.everyone = members
        self.histories: list[dict[str, list[float]]] = [{} for _ in members]
        self.checkpoints: list[dict[int, State]] = [{} for _ in members]
        self.results: dict[int, Fitted | Diverged] = {} if results is None else results
        self.latest: Point | None = None
        """The loss of the epoch that has just ended; None within one."""
        if going:
            restore(stack, going)
            for place, one in zip(self.places, going, strict=True):
                self.histories[place], self.checkpoints[place] = dict(one.history), dict(one.kept)
        else:
            self._keep(0)
            rows = [row for row, member in enumerate(stack.members) if member.steps == 0]
            self._leave(dict.fromkeys(rows, "budget"))

    @property
    def done(self) -> int:
        """Steps that are behind the stack; those that a finished member saved count as done."""
        gone = sum(self.everyone[place].steps for place in self.results)
        return gone + self.stack.steps * len(self.places)

    def advance(self, pause: Callable[[], bool] = _never) -> None:
        """Train to the end of the epoch, or to the end of the first budget that falls into it.

        After a step at which `pause` says so it is left, for the next call to go on there.
        """
        stack = self.stack
        per_epoch = stack.feed.steps
        epoch = stack.steps // per_epoch
        end = min((epoch + 1) * per_epoch, *(member.steps for member in stack.members))
        self.latest = None
        stack.run(end, pause=pause)
        if stack.steps < end:
            return
        leaving: dict[int, str | Diverged] = dict(stack.diverged())
        finished = [row for row, member in enumerate(stack.members) if member.steps == end]
        is_whole = end == (epoch + 1) * per_epoch
        self._record(epoch, range(len(self.places)) if is_whole else finished)
        if is_whole:
            self._keep(epoch + 1)
            stopped = self.stopping.met(stack, [row for row in range(len(self.places)) if row not in leaving])
            leaving |= dict.fromkeys(stopped, "stopped")
        leaving |= {row: stack.unfinished(row) or "budget" for row in finished if row not in leaving}
        self._leave(leaving)

    def _record(self, epoch: int, rows: Sequence[int]) -> None:
        means = {name: values.tolist() for name, values in self.stack.means().items()}
        self.latest = point(epoch + 1, [means["train_loss"][row] for row in rows])
        for row in rows:
            history = self.histories[self.places[row]]
            history.setdefault("epoch", []).append(epoch + 1)
            for name, values in means.items():
                history.setdefault(name, []).append(values[row])

    def _keep(self, epoch: int) -> None:
        for row, member in enumerate(self.stack.members):
            if epoch in member.kept_epochs:
                self.checkpoints[self.places[row]][epoch] = self.stack.state(row)

    def _leave(self, leaving: Mapping[int, str | Diverged]) -> None:
        """Take members out of the stack, with what became of them."""
        if not leaving:
            return
        for row, why in leaving.items():
            self.results[self.places[row]] = why if isinstance(why, Diverged) else self._fitted(row, why)
        rest = [row for row in range(len(self.places)) if row not in leaving]
        self.places = [self.places[row] for row in rest]
        self.stack = self.stack.select(rest)

    def _fitted(self, row: int, status: str) -> Fitted | Diverged:
        member, place = self.stack.members[row], self.places[row]
        state = self.stack.state(row)
        if not all(
            bool(value.isfinite().all()) for value in (*state.parameters.values(), *state.buffers.values())
        ):
            return Diverged(self.stack.steps, "parameters are not finite")
        history = {
            name: torch.tensor(values, dtype=torch.int64 if name == "epoch" else torch.float64)
            for name, values in self.histories[place].items()
        }
        kept = self.checkpoints[place]
        return Fitted(
            state=state,
            history=history,
            steps=self.stack.steps,
            epochs=-(-self.stack.steps // member.steps_per_epoch),
            status="stopped" if status == "stopped" else "budget",
            checkpoints={epoch: kept.get(epoch, state) for epoch in member.kept_epochs},
        )
