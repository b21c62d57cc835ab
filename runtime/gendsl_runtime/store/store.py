"""Results by their keys: looked up all at once, committed all or none, verified whenever they are read."""

from __future__ import annotations

import errno
import sqlite3
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Self

from gendsl_runtime.problem import Problem
from gendsl_runtime.store import index
from gendsl_runtime.store.blobs import Blobs
from gendsl_runtime.store.entry import Damaged, Entry, Failed, origin
from gendsl_runtime.store.faults import told

INLINE = 100_000
"""Bytes up to which a result lies in the index itself."""


def _warn(text: str) -> None:
    print(f"warning: {text}", file=sys.stderr)


class Store:
    """A folder of results. Digests are SHA-256 in hexadecimal, keys are 32 bytes.

    Any number of processes may read and commit at the same time.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, warn: Callable[[str], None]) -> None:
        self.path = path
        self._index, self._blobs, self._warn = connection, Blobs(path), warn

    @classmethod
    def open(cls, path: Path, *, create: bool = True, warn: Callable[[str], None] = _warn) -> Store:
        """The store in the folder `path`; without `create`, one that is not there is empty and stays so.

        Raises:
            Problem: `store-unwritable`, `disk-full`, `store-newer` or `store-damaged`.
        """
        file = path / "index.sqlite"
        with told(path):
            if not create and not file.exists():
                if path.exists() and not path.is_dir():
                    raise NotADirectoryError(errno.ENOTDIR, "not a folder", str(path))
                return cls(path, index.empty(), warn)
            if not file.exists():
                path.mkdir(parents=True, exist_ok=True)
                # Results are no part of the user's repository.
                (path / ".gitignore").write_text("*\n", encoding="utf-8")
            return cls(path, index.connected(file), warn)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connection; the store cannot be used afterwards."""
        self._index.close()

    def lookup(self, keys: Iterable[bytes]) -> dict[bytes, str]:
        """The digests of those keys, of either kind, that have a result.

        A result whose file is gone or has another length is set aside and not reported.
        """
        columns = "key, digest, size, length(data)"
        query = f"SELECT {columns} FROM keys LEFT JOIN blobs USING (digest) WHERE key IN ({{}})"
        found: dict[bytes, str] = {}
        whole: dict[bytes, bool] = {}
        with told(self.path):
            for key, digest, size, inline in index.chosen(self._index, query, list(dict.fromkeys(keys))):
                if digest not in whole:
                    there = inline if inline is not None else self._blobs.size(digest)
                    whole[digest] = size is not None and there == size
                if whole[digest]:
                    found[key] = digest.hex()
        for digest in (digest for digest, is_whole in whole.items() if not is_whole):
            self._set_aside(digest)
        return found

    def failed(self, keys: Iterable[bytes]) -> dict[bytes, str]:
        """Why nodes failed when last computed, by recipe key; those with a result are not among them."""
        query = "SELECT recipe, reason FROM failures WHERE recipe IN ({})"
        with told(self.path):
            return {key: str(reason) for key, reason in index.chosen(self._index, query, list(keys))}

    def read(self, digest: str) -> bytes:
        """The result with this digest, verified.

        Raises:
            Damaged: it is missing or not what was written; it is then set aside, and no key has it any more.
        """
        raw = bytes.fromhex(digest)
        with told(self.path):
            row = self._index.execute("SELECT data FROM blobs WHERE digest = ?", (raw,)).fetchone()
        inline = row[0] if row else None
        content = inline if inline is not None else self._blobs.read(raw)
        if content is None or sha256(content).digest() != raw:
            self._set_aside(raw, inline)
            raise Damaged(digest)
        return bytes(content)

    def commit(self, entries: Sequence[Entry]) -> list[str]:
        """Keeps results: all of them or, where this raises, none; their digests, in order.

        Raises:
            Problem: `disk-full`, `store-unwritable` or `store-busy`.
        """
        digests = [sha256(entry.payload).digest() for entry in entries]
        blobs = {digest: entry.payload for digest, entry in zip(digests, entries, strict=True)}
        with told(self.path):
            for digest, payload in blobs.items():
                if len(payload) > INLINE:
                    self._blobs.write(digest, payload)
            with index.transaction(self._index):
                self._insert(entries, digests, blobs)
        return [digest.hex() for digest in digests]

    def _insert(
        self, entries: Sequence[Entry], digests: Sequence[bytes], blobs: Mapping[bytes, bytes]
    ) -> None:
        insert, here, now = self._index.executemany, self._origin(), time.time()
        insert(
            "INSERT OR REPLACE INTO blobs VALUES (?, ?, ?)",
            ((digest, len(data), data if len(data) <= INLINE else None) for digest, data in blobs.items()),
        )
        rows = list(zip(entries, digests))
        insert("INSERT OR REPLACE INTO keys VALUES (?, ?)", ((e.recipe_key, digest) for e, digest in rows))
        insert("INSERT OR REPLACE INTO keys VALUES (?, ?)", ((e.action_key, digest) for e, digest in rows))
        insert(
            "INSERT OR REPLACE INTO results VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (e.recipe_key, e.action_key, digest, e.kind, e.component, now, e.seconds, here)
                for e, digest in rows
            ),
        )
        insert("DELETE FROM failures WHERE recipe = ?", ((e.recipe_key,) for e in entries))

    def alias(self, keys: Mapping[bytes, str]) -> None:
        """Further keys for results that are there: new recipes whose inputs have known contents."""
        if keys:
            with told(self.path), index.transaction(self._index):
                self._index.executemany(
                    "INSERT OR REPLACE INTO keys VALUES (?, ?)",
                    ((key, bytes.fromhex(digest)) for key, digest in keys.items()),
                )

    def note_failures(self, failures: Sequence[Failed]) -> None:
        """Keeps why nodes failed, until they give a result."""
        if not failures:
            return
        with told(self.path), index.transaction(self._index):
            here, now = self._origin(), time.time()
            self._index.executemany(
                "INSERT OR REPLACE INTO failures VALUES (?, ?, ?, ?, ?, ?, ?)",
                ((f.recipe_key, f.kind, f.component, f.code, f.reason, now, here) for f in failures),
            )

    def _origin(self) -> int:
        self._index.execute("INSERT OR IGNORE INTO origins (host, versions) VALUES (?, ?)", origin())
        query = "SELECT id FROM origins WHERE host = ? AND versions = ?"
        number: int = self._index.execute(query, origin()).fetchone()[0]
        return number

    def _set_aside(self, digest: bytes, inline: bytes | None = None) -> None:
        """Takes a damaged result out of the way and out of the index."""
        self._blobs.set_aside(digest, inline)
        # On a disk that is read only the rows stay, and the damage is found again at the next use.
        with suppress(Problem), told(self.path), index.transaction(self._index):
            for table in ("keys", "results", "blobs"):
                self._index.execute(f"DELETE FROM {table} WHERE digest = ?", (digest,))
        self._warn(f"the stored result {digest.hex()[:12]} is damaged or missing; it is computed again")
