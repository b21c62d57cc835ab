"""A stack under way as bytes, and back: everything that determines the rest of each member.

That is little, because all chance is a function of seed, epoch and step: parameters, buffers and the
optimizer's slots at a step; what the epoch has seen so far; histories and kept states; and what became of
members that have left the stack. All of it lies on the CPU, whatever the device.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from gendsl_runtime.network import State
from gendsl_runtime.store import payload
from gendsl_runtime.store.checkpoints import Checkpoints, Done, furthest
from gendsl_runtime.train import artifact
from gendsl_runtime.train.fitted import Diverged, Fitted
from gendsl_runtime.train.stack import Stack

if TYPE_CHECKING:
    from gendsl_runtime.train.loop import Course

INTERVAL = 10.0
"""Seconds between two checkpoints; a stack that takes less has none."""
SHARE = 0.02
"""The share of the time that writing may take: where it takes longer, checkpoints are rarer."""
PACE = 200e6
"""Bytes a second that the first checkpoint is expected to be written with."""
OWN = ("ended", "history", "kept")
"""Sorts of arrays that each belong to one member; the others have a row for each that is under way."""


@dataclass(frozen=True)
class Going:
    """A member under way, without member axis."""

    steps: int
    parameters: Tensor
    """`(P,)`"""
    slots: tuple[Tensor, ...]
    buffers: Mapping[str, Tensor]
    losses: Tensor
    """Of the examples of the epoch that are behind `(n,)`."""
    wrong: Tensor | None
    history: Mapping[str, list[float]]
    kept: Mapping[int, State]


Kept = Going | Fitted | Diverged
"""What is known of a member from a checkpoint."""


class Keeper:
    """Finds members in checkpoints, and keeps that of one stack after another up to date."""

    def __init__(self, checkpoints: Checkpoints, keys: Sequence[str], *, device: str) -> None:
        """`keys` are the action keys of the members to train, in order."""
        self._checkpoints, self._keys, self._device = checkpoints, keys, device
        self.due = 0.0
        """When the next checkpoint is to be written, by the monotonic clock."""

    def found(self) -> dict[int, Kept]:
        """What there is to go on from, by the members' places: the furthest that is whole."""
        slots = self._checkpoints.slots()
        found: dict[str, Kept] = {}
        while wanted := furthest(slots, [key for key in self._keys if key not in found]):
            for slot, members in wanted.items():
                content = slot.content()
                if content is None:
                    slots.remove(slot)
                else:
                    found |= unpack(content, members)
        return {place: found[key] for place, key in enumerate(self._keys) if key in found}

    def begin(self, stack: Stack) -> None:
        """A stack begins, or goes on: the clock of its first checkpoint starts."""
        size = stack.parameters.nbytes * (1 + len(stack.slots))
        self.due = monotonic() + max(INTERVAL, size / PACE / SHARE)

    def keep(self, course: Course) -> None:
        """Writes the checkpoint of a stack. Where there is no room for it, the training goes on without."""
        start = monotonic()
        with suppress(OSError, MemoryError):
            tensors, texts = pack(course, self._keys)
            members = {self._keys[place]: _done(course, place) for place in (*course.results, *course.places)}
            steps = course.stack.steps
            self._checkpoints.write(members, tensors, texts, steps=steps, device=self._device)
        end = monotonic()
        self.due = end + max(INTERVAL, (end - start) / SHARE)


def _done(course: Course, place: int) -> Done:
    of = course.everyone[place].steps
    return Done(of if place in course.results else course.stack.steps, of)


def pack(course: Course, keys: Sequence[str]) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """A stack as arrays and texts; `keys` are those of all its members."""
    stack, going = course.stack, len(course.places)
    tensors = {name: _array(value[:going]) for name, value in _stacked(stack)}
    ended: dict[str, list[object]] = {}
    for place, result in course.results.items():
        if isinstance(result, Diverged):
            ended[keys[place]] = [result.step, result.reason, result.code]
        else:
            tensors[f"ended.{keys[place]}"] = np.frombuffer(artifact.pack(result), dtype=np.uint8)
    for place in course.places:
        for name, values in course.histories[place].items():
            tensors[f"history.{keys[place]}.{name}"] = np.array(values)
        for epoch, state in course.checkpoints[place].items():
            tensors |= artifact.named(state, f"kept.{keys[place]}.{epoch}.")
    rows = [keys[place] for place in course.places]
    return tensors, {"rows": json.dumps(rows), "diverged": json.dumps(ended), "at": str(stack.steps)}


def _stacked(stack: Stack) -> Iterator[tuple[str, Tensor]]:
    """What every member of a stack has a row of."""
    seen = stack.steps % stack.feed.steps * stack.feed.step
    yield "parameters", stack.parameters
    yield "losses", stack.losses[:, :seen]
    if stack.wrong is not None:
        yield "wrong", stack.wrong[:, :seen]
    for place, slot in enumerate(stack.slots):
        yield f"slots.{place}", slot
    for name, value in stack.buffers.items():
        yield f"buffers.{name}", value


def unpack(content: bytes, wanted: Collection[str]) -> dict[str, Kept]:
    """Some of the members in the payload of a slot, by their keys."""
    arrays, texts = payload.unpack(content)
    own: dict[str, dict[str, np.ndarray]] = defaultdict(dict)
    shared: dict[str, np.ndarray] = {}
    for name, value in arrays.items():
        sort, _, rest = name.partition(".")
        if sort in OWN:
            key, _, rest = rest.partition(".")
            own[key][f"{sort}.{rest}"] = value
        else:
            shared[name] = value
    diverged = {key: Diverged(*ended) for key, ended in json.loads(texts["diverged"]).items()}
    going = {key: row for row, key in enumerate(json.loads(texts["rows"]))}
    found: dict[str, Kept] = {}
    for key in wanted:
        if key in diverged:
            found[key] = diverged[key]
        elif key in going:
            rows = {name: torch.from_numpy(np.array(value[going[key]])) for name, value in shared.items()}
            found[key] = _going(rows, own[key], steps=int(texts["at"]))
        else:
            found[key] = artifact.unpack(own[key]["ended."].tobytes())
    return found


def _going(rows: Mapping[str, Tensor], own: Mapping[str, np.ndarray], *, steps: int) -> Going:
    kept = {name.removeprefix("kept."): value for name, value in own.items() if name.startswith("kept.")}
    epochs = sorted({int(name.partition(".")[0]) for name in kept})
    count = sum(name.startswith("slots.") for name in rows)
    return Going(
        steps=steps,
        parameters=rows["parameters"],
        slots=tuple(rows[f"slots.{place}"] for place in range(count)),
        buffers={
            name.removeprefix("buffers."): value
            for name, value in rows.items()
            if name.startswith("buffers.")
        },
        losses=rows["losses"],
        wrong=rows.get("wrong"),
        history={
            name.removeprefix("history."): values.tolist()
            for name, values in own.items()
            if name.startswith("history.")
        },
        kept={epoch: artifact.stated(kept, f"{epoch}.") for epoch in epochs},
    )


def restore(stack: Stack, going: Sequence[Going]) -> None:
    """Puts a stack that was just started to where these members were, one for each of its own, all at one step."""
    stack.steps = going[0].steps
    stack.parameters.copy_(torch.stack([one.parameters for one in going]))
    for place, slot in enumerate(stack.slots):
        slot.copy_(torch.stack([one.slots[place] for one in going]))
    stack.buffers = {
        name: torch.stack([one.buffers[name] for one in going]).to(value.device)
        for name, value in stack.buffers.items()
    }
    seen = len(going[0].losses)
    stack.losses[:, :seen] = torch.stack([one.losses for one in going])
    if stack.wrong is not None:
        stack.wrong[:, :seen] = torch.stack([one.wrong for one in going if one.wrong is not None])


def _array(value: Tensor) -> np.ndarray:
    return np.asarray(value.contiguous().cpu())
