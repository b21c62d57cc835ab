"""Trainings under way: for each stack a folder with two slots, written in turn and read only when whole.

`checkpoints/<stack>/{0,1}`: the SHA-256 of what follows, then a payload. A slot names its members by their
action keys, which everything enters that determines their bits; so a member found in any slot, of whatever
stack, is that member, as it is after so many steps. It does not matter for what is computed who wrote a slot,
when, or beside whom.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gendsl_runtime.numerics import numerics
from gendsl_runtime.store import payload
from gendsl_runtime.store.blobs import placed

CHECKPOINTS = "checkpoints"
FORMAT = "1"
SLOTS = ("0", "1")
DIGEST = 32
LONGEST = 1 << 28
"""Bytes of a header: more than any has."""


class Done(NamedTuple):
    """How far a member is."""

    steps: int
    of: int
    """Steps of its whole budget; of one that has ended the same."""


@dataclass(frozen=True, eq=False)
class Slot:
    """What a slot says about itself; whether it is whole is known when it is read."""

    path: Path
    steps: int
    """Steps that the stack had done."""
    numerics: str
    device: str
    members: Mapping[str, Done]

    @property
    def is_current(self) -> bool:
        """Whether this version could have written it: keys of another one are never asked for."""
        return self.numerics == numerics(self.device)

    def content(self) -> bytes | None:
        """The payload; None where the slot is damaged, which removes it, or gone."""
        try:
            content = memoryview(self.path.read_bytes())
        except OSError:
            return None
        if sha256(content[DIGEST:]).digest() == content[:DIGEST]:
            return bytes(content[DIGEST:])
        with suppress(OSError):
            self.path.unlink()
        return None


class Checkpoints:
    """The checkpoints of a store."""

    def __init__(self, store: Path) -> None:
        self._store = store
        self.path = store / CHECKPOINTS

    def slots(self) -> list[Slot]:
        """Every slot that can be made out."""
        return [slot for path in sorted(self.path.glob("*/[01]")) if (slot := _slot(path)) is not None]

    def done(self, keys: Iterable[str]) -> dict[str, Done]:
        """How far those of the members are that have a checkpoint."""
        found = furthest(self.slots(), keys)
        return {key: slot.members[key] for slot, members in found.items() for key in members}

    def write(
        self,
        members: Mapping[str, Done],
        tensors: Mapping[str, np.ndarray],
        texts: Mapping[str, str],
        *,
        steps: int,
        device: str,
    ) -> int:
        """Writes into the older slot of the stack of these members; bytes written.

        Raises:
            OSError: the disk is full or cannot be written.
        """
        folder = self.path / stack_key(members)
        told = {
            "format": FORMAT,
            "numerics": numerics(device),
            "device": device,
            "steps": str(steps),
            "members": json.dumps(members, separators=(",", ":")),
        }
        content = payload.pack(tensors, {**texts, **told})
        found = [_slot(folder / name) for name in SLOTS]
        oldest = min(range(len(SLOTS)), key=lambda place: _steps(found[place]))
        placed([sha256(content).digest(), content], folder / SLOTS[oldest], drafts=self._store / "tmp")
        return len(content) + DIGEST

    def forget(self, is_settled: Callable[[Collection[str]], bool]) -> None:
        """Removes checkpoints of which every member is settled; best effort."""
        for folder in self._folders():
            slots = [_slot(folder / name) for name in SLOTS]
            keys = {key for slot in slots if slot is not None for key in slot.members}
            if keys and is_settled(keys):
                _removed(folder)

    def useless(self, is_settled: Callable[[Collection[str]], bool], *, before: float) -> list[Path]:
        """Slots that nothing will go on from: settled, of another version, not to be made out, or older than a
        time in seconds since 1970."""
        found = []
        for path in self.path.glob("*/*"):
            slot = _slot(path)
            with suppress(OSError):
                is_old = path.stat().st_mtime < before
                if is_old or slot is None or not slot.is_current or is_settled(slot.members.keys()):
                    found.append(path)
        return found

    def _folders(self) -> Sequence[Path]:
        try:
            return [Path(entry.path) for entry in os.scandir(self.path)]
        except OSError:
            return []


def furthest(slots: Sequence[Slot], keys: Iterable[str]) -> dict[Slot, list[str]]:
    """For the members that are in any of the slots: in which one they are the furthest."""
    found: dict[Slot, list[str]] = {}
    for key in keys:
        having = [slot for slot in slots if key in slot.members]
        if having:
            found.setdefault(max(having, key=lambda slot: slot.members[key].steps), []).append(key)
    return found


def stack_key(members: Iterable[str]) -> str:
    """The name of a stack, from the keys of its members in any order."""
    return sha256("\n".join(sorted(members)).encode()).hexdigest()


def _slot(path: Path) -> Slot | None:
    """What the slot says; None where it says nothing that makes sense."""
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(DIGEST + 8)[DIGEST:], "little")
            header = json.loads(file.read(length)) if length <= LONGEST else {}
        told = header[payload.METADATA]
        if told["format"] != FORMAT:
            return None
        listed = json.loads(told["members"]).items()
        members = {bytes.fromhex(key).hex(): Done(*map(int, done)) for key, done in listed}
        return Slot(path, int(told["steps"]), str(told["numerics"]), str(told["device"]), members)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _steps(slot: Slot | None) -> int:
    return -1 if slot is None else slot.steps


def _removed(folder: Path) -> None:
    """Removes a stack's folder."""
    with suppress(OSError):
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
