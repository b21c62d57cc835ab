"""The journal: everything the index says, once more, in a file that is only ever appended to.

One JSON object a line behind its CRC-32: `9a3f01c2 {"result": ...}`. Small results, which lie in the index, are in it
too. From the journal and the files of `objects/` an index that is lost is made again; a line that is torn or damaged
costs that line alone.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias
from zlib import crc32

Record: TypeAlias = dict[str, Any]
"""What happened: `{"result": {...}}`, `{"plan": {...}}`, `{"alias": {...}}`, `{"failure": {...}}`."""


class Journal:
    """The file `journal.jsonl` of a store."""

    def __init__(self, root: Path) -> None:
        self.path = root / "journal.jsonl"
        self.damaged = 0
        """Lines that the last reading could not understand."""

    def append(self, records: Iterable[Record]) -> None:
        """Adds records: all of them, or where the disk is full none; other processes wait meanwhile."""
        content = b"".join(map(_line, records))
        if not content:
            return
        with self.locked() as handle:
            end = os.lseek(handle, 0, os.SEEK_END)
            is_torn = end > 0 and os.pread(handle, 1, end - 1) != b"\n"
            try:
                _write(handle, b"\n" * is_torn + content)
            except BaseException:
                os.ftruncate(handle, end)
                raise

    def read(self) -> Iterator[Record]:
        """Every record that is whole, in order."""
        self.damaged = 0
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            for line in file:
                record = _record(line)
                if record is not None:
                    yield record
                elif line.strip():
                    self.damaged += 1

    def rewrite(self, records: Iterable[Record]) -> None:
        """Puts another journal in its place, at once; the old one stays until the new one is on the disk."""
        draft = self.path.with_suffix(".new")
        with self.locked():
            try:
                with draft.open("wb") as file:
                    file.writelines(map(_line, records))
                    file.flush()
                    os.fsync(file.fileno())
                draft.replace(self.path)
            except BaseException:
                draft.unlink(missing_ok=True)
                raise

    @contextmanager
    def locked(self) -> Iterator[int]:
        """The open file, held against all other processes; a process that dies lets go of it."""
        while True:
            handle = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
                # Whoever waited while another put a new file in its place takes that one.
                if self.path.exists() and os.path.samestat(os.fstat(handle), self.path.stat()):
                    yield handle
                    return
            finally:
                os.close(handle)


def _line(record: Record) -> bytes:
    text = json.dumps(record, separators=(",", ":")).encode()
    return b"%08x %s\n" % (crc32(text), text)


def _record(line: bytes) -> Record | None:
    """The record of a line; None where it is not what was written."""
    check, _, text = line.rstrip(b"\n").partition(b" ")
    if check != b"%08x" % crc32(text):
        return None
    record: Record = json.loads(text)
    return record


def _write(handle: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(handle, view) :]
