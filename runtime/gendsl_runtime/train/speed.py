"""How long stacks take on this machine: tried out for a moment, remembered, and estimated from that elsewhere.

A trial is the real thing: a stack of the same static key and size, on random data, for a few steps. Trials are
kept in the user's cache folder, a file for each combination of processor, torch and numerics, so that a change of
any of them begins anew. Where no time is left for a trial, the seconds of a step are `fixed + members * (operations
/ throughput + bytes / bandwidth)`, with the three coefficients fitted to the trials there are.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from statistics import median
from time import process_time

import numpy as np
import torch

from gendsl.places import cache_folder
from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.length import Length
from gendsl_runtime.numerics import numerics
from gendsl_runtime.train.fuse import Cost, static_key
from gendsl_runtime.train.loop import Course
from gendsl_runtime.train.member import Member
from gendsl_runtime.train.stack import start

BUDGET = 1.0
"""Seconds of trials in one command."""
TRIAL = 0.02
"""Seconds of one trial, but for its start."""
LONG = 1000
"""Steps that members of a trial have before them: more than fit into it."""
STEPS = 8
"""Steps of an epoch in a trial, if there are so many."""
TYPICAL = (1.2e-4, 1.2e-11, 4e-11)
"""Seconds of a step, of an operation and of a byte, until something was tried: a server's core of 2024."""


TRUST = 0.5
"""What the typical coefficients weigh beside a trial."""


@dataclass(frozen=True)
class Trial:
    """So many members of such a cost took so many seconds a step."""

    members: int
    operations: float
    bytes: float
    seconds: float


@dataclass
class Speed:
    """What is known of this machine; `budget` seconds may be spent to learn more."""

    trials: dict[str, Trial] = field(default_factory=dict)
    path: Path | None = None
    budget: float = 0.0

    def step(self, member: Member, cost: Cost, members: int) -> float:
        """Seconds of a step of a stack of members like this one."""
        key = _key(member, members)
        if key not in self.trials:
            guess = self.estimate(cost, members)
            if 3 * guess > self.budget:
                return guess
            begun = process_time()
            seconds = tried(member, members)
            self.budget -= process_time() - begun
            self.trials[key] = Trial(members, cost.operations, cost.bytes, seconds)
        return self.trials[key].seconds

    def training(self, member: Member, cost: Cost, steps: Sequence[int], *, widest: int) -> float:
        """Seconds of a stack of members like this one with budgets of so many steps; who is done leaves.

        A stack of `widest` members is tried; how those of other sizes compare is estimated.
        """
        fixed, each = self._coefficients(cost)
        pace = self.step(member, cost, widest) / (fixed + each * widest)
        seconds, before = 0.0, 0
        for gone, end in enumerate(sorted(steps)):
            seconds += (end - before) * pace * (fixed + each * (len(steps) - gone))
            before = end
        return seconds

    def estimate(self, cost: Cost, members: int) -> float:
        """The same without a trial."""
        fixed, each = self._coefficients(cost)
        return fixed + members * each

    def _coefficients(self, cost: Cost) -> tuple[float, float]:
        """Seconds of a step, and of each member in it."""
        fixed, operation, byte = self._fitted()
        return fixed, operation * cost.operations + byte * cost.bytes

    def _fitted(self) -> Sequence[float]:
        """The coefficients with the least relative errors in the trials, drawn to the typical ones where trials say
        little."""
        typical = np.array(TYPICAL)
        rows = [
            np.array((1, t.members * t.operations, t.members * t.bytes)) * typical / t.seconds
            for t in self.trials.values()
        ]
        table = np.array([*rows, *(TRUST * np.eye(3))])
        found, *_ = np.linalg.lstsq(table, np.array([1.0] * len(rows) + [TRUST] * 3), rcond=None)
        return [float(value) for value in np.clip(found, 0.1, 10) * typical]

    def save(self) -> None:
        """Keeps the trials for the next command; a folder that cannot be written is no fault."""
        if self.path is None:
            return
        kept = {key: [t.members, t.operations, t.bytes, t.seconds] for key, t in self.trials.items()}
        draft = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        with suppress(OSError):
            draft.write_text(json.dumps({"machine": machine(), "trials": kept}), encoding="utf-8")
            draft.replace(self.path)


def speed(*, budget: float = BUDGET) -> Speed:
    """What is remembered of this machine."""
    folder = cache_folder()
    if folder is None:
        return Speed(budget=budget)
    name = sha256(json.dumps(machine(), sort_keys=True).encode()).hexdigest()
    path = folder / f"speed-{name[:16]}.json"
    try:
        kept = json.loads(path.read_text("utf-8"))["trials"]
        trials = {str(key): Trial(int(m), float(o), float(b), float(s)) for key, (m, o, b, s) in kept.items()}
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        trials = {}  # not there yet, or damaged
    return Speed(trials, path, budget)


def machine() -> dict[str, str]:
    """What the speed depends on, beside what else the machine does."""
    return {"processor": _processor(), "torch": torch.__version__, "numerics": numerics()}


def tried(member: Member, members: int) -> float:
    """Seconds of a step: the median of a few epochs."""
    likes = stand_ins(member, members)
    course = Course(likes, start(likes, device="cpu", dtype=torch.float32))
    course.advance()
    found: list[float] = []
    begun = process_time()
    while not found or (process_time() - begun < TRIAL and course.stack.steps < LONG - STEPS):
        before, steps = process_time(), course.stack.steps
        course.advance()
        found.append((process_time() - before) / (course.stack.steps - steps))
    return median(found)


def stand_ins(member: Member, members: int) -> list[Member]:
    """Members like this one on random data, which neither end nor stop."""
    like = replace(
        member,
        data=_random(member.data, min(member.examples, STEPS * member.batch_size)),
        budget=Length(LONG, "steps"),
        stop=tuple((metric, "<", -1.0) for metric, _, _ in member.conditions) or None,
        checkpoints=(),
        init=None,
    )
    return [replace(like, seed=seed) for seed in range(members)]


def _random(data: Dataset, examples: int) -> Dataset:
    """As many random examples like those of a dataset."""
    chance = torch.Generator().manual_seed(0)
    if data.vocabulary is None:
        inputs = torch.rand(examples, *data.shape, generator=chance)
    else:
        inputs = torch.randint(data.vocabulary, (examples, *data.shape), generator=chance)
    if data.task == "regression":
        targets = torch.rand(examples, data.outputs, generator=chance)
    else:
        places = () if data.places is None else (data.places,)
        targets = torch.randint(data.outputs, (examples, *places), generator=chance)
    return replace(data, splits={"train": Split(inputs, targets)}, fit=("train",))


def _processor() -> str:
    """The name of the processor's model."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _key(member: Member, members: int) -> str:
    metrics = [metric for metric, _, _ in member.conditions]
    return sha256(repr((static_key(member), metrics, members)).encode()).hexdigest()[:16]
