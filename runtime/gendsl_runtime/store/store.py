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
from gendsl_runtime.store import index, records
from gendsl_runtime.store.blobs import Blobs
from gendsl_runtime.store.entry import Damaged, Entry, Failed, origin
from gendsl_runtime.store.faults import told
from gendsl_runtime.store.journal import Journal, Record
from gendsl_runtime.store.rebuild import opened
from gendsl_runtime.store.records import INLINE, Made, add_failures, add_plan, add_results, origin_id

FRESH = 3600.0
"""Seconds in which a second use of a result is not noted."""
DAMAGED = "damaged"
"""The code of a failure that is none: the result was there, and is damaged."""


def _warn(text: str) -> None:
    print(f"warning: {text}", file=sys.stderr)


class Store:
    """A folder of results. Digests are SHA-256 in hexadecimal, keys are 32 bytes.

    Any number of processes may read and commit at the same time.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, warn: Callable[[str], None]) -> None:
        self.path, self.blobs, self.index = path, Blobs(path), connection
        self._journal, self._warn = Journal(path), warn
        self._plan: tuple[bytes, str, str] | None = None

    @classmethod
    def open(cls, path: Path, *, create: bool = True, warn: Callable[[str], None] = _warn) -> Store:
        """The store in the folder `path`; without `create`, one that is not there is empty and stays so.

        Raises:
            Problem: `store-unwritable`, `disk-full`, `store-newer` or `store-damaged`.
        """
        file = path / "index.sqlite"
        with told(path):
            is_there = file.exists() or Journal(path).path.exists()
            if not create and not is_there:
                if path.exists() and not path.is_dir():
                    raise NotADirectoryError(errno.ENOTDIR, "not a folder", str(path))
                return cls(path, index.empty(), warn)
            if not is_there:
                path.mkdir(parents=True, exist_ok=True)
                # Results are no part of the user's repository.
                (path / ".gitignore").write_text("*\n", encoding="utf-8")
            connection, rebuilt = opened(path)
        if rebuilt:
            lost = f", {rebuilt.lost:,} are gone and will be computed again" if rebuilt.lost else ""
            warn(
                f"the index of {path} was missing or damaged; made again from the journal: "
                f"{rebuilt.results:,} results{lost}"
            )
        return cls(path, connection, warn)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connection; the store cannot be used afterwards."""
        self.index.close()

    def lookup(self, keys: Iterable[bytes]) -> dict[bytes, str]:
        """The digests of those keys, of either kind, that have a result.

        A result whose file is gone or has another length is set aside and not reported.
        """
        columns = "key, digest, size, length(data)"
        query = f"SELECT {columns} FROM keys LEFT JOIN blobs USING (digest) WHERE key IN ({{}})"
        found: dict[bytes, str] = {}
        whole: dict[bytes, bool] = {}
        with told(self.path):
            for key, digest, size, inline in index.chosen(self.index, query, list(dict.fromkeys(keys))):
                if digest not in whole:
                    there = inline if inline is not None else self.blobs.size(digest)
                    whole[digest] = size is not None and there == size
                if whole[digest]:
                    found[key] = digest.hex()
        for digest in (digest for digest, is_whole in whole.items() if not is_whole):
            self._set_aside(digest)
        return found

    def failed(self, keys: Iterable[bytes]) -> dict[bytes, tuple[str, str]]:
        """Code and reason of nodes that failed when last computed, by recipe key; of damaged results too."""
        query = "SELECT recipe, code, reason FROM failures WHERE recipe IN ({})"
        with told(self.path):
            rows = index.chosen(self.index, query, list(keys))
            return {key: (str(code), str(reason)) for key, code, reason in rows}

    def read(self, digest: str) -> bytes:
        """The result with this digest, verified.

        Raises:
            Damaged: it is missing or not what was written; it is then set aside, and no key has it any more.
        """
        raw = bytes.fromhex(digest)
        with told(self.path):
            row = self.index.execute("SELECT data FROM blobs WHERE digest = ?", (raw,)).fetchone()
        inline = row[0] if row else None
        content = inline if inline is not None else self.blobs.read(raw)
        if content is None or sha256(content).digest() != raw:
            self._set_aside(raw, inline)
            raise Damaged(digest)
        return bytes(content)

    def begin(self, experiment: str, content: str) -> None:
        """Says what the results that follow are computed for; it is kept with the first of them."""
        self._plan = sha256(content.encode()).digest(), experiment, content

    def commit(self, entries: Sequence[Entry]) -> list[str]:
        """Keeps results: all of them or, where this raises, none; their digests, in order.

        Raises:
            Problem: `disk-full`, `store-unwritable` or `store-busy`.
        """
        if not entries:
            return []
        digests = [sha256(entry.payload).digest() for entry in entries]
        now, (host, versions) = time.time(), origin()
        plan = self._plan[0] if self._plan else None
        made = [
            Made(
                e.recipe_key,
                e.action_key,
                digest,
                e.kind,
                e.component,
                now,
                e.seconds,
                host,
                versions,
                plan,
                e.step,
                e.place,
            )
            for e, digest in zip(entries, digests, strict=True)
        ]
        inline = [e.payload if len(e.payload) <= INLINE else None for e in entries]
        with told(self.path):
            for digest, payload in {d: e.payload for d, e in zip(digests, entries)}.items():
                if len(payload) > INLINE:
                    self.blobs.write(digest, payload)
            with index.transaction(self.index):
                lines = self._planned(now)
                blobs = {d: (d, len(e.payload), data, now) for d, e, data in zip(digests, entries, inline)}
                self.index.executemany("INSERT OR REPLACE INTO blobs VALUES (?, ?, ?, ?)", blobs.values())
                add_results(self.index, made, origin_id(self.index, host, versions))
                lines += [one.record(len(e.payload), data) for one, e, data in zip(made, entries, inline)]
                self._journal.append(lines)
        return [digest.hex() for digest in digests]

    def _planned(self, now: float) -> list[Record]:
        """Enters the plan with its first result; its line of the journal."""
        if self._plan is None:
            return []
        known = self.index.execute("SELECT 1 FROM plans WHERE digest = ?", self._plan[:1]).fetchone()
        if known:
            return []
        add_plan(self.index, *self._plan, now)
        return [records.plan(*self._plan, now)]

    def alias(self, keys: Mapping[bytes, str]) -> None:
        """Further keys for results that are there: new recipes whose inputs have known contents."""
        if keys:
            rows = [(key, bytes.fromhex(digest)) for key, digest in keys.items()]
            with told(self.path), index.transaction(self.index):
                self.index.executemany("INSERT OR REPLACE INTO keys VALUES (?, ?)", rows)
                self._journal.append(records.alias(*row) for row in rows)

    def note_failures(self, failures: Sequence[Failed]) -> None:
        """Keeps why nodes failed, until they give a result."""
        if not failures:
            return
        now, here = time.time(), origin()
        rows = [(f.recipe_key, f.kind, f.component, f.code, f.reason, now) for f in failures]
        with told(self.path), index.transaction(self.index):
            add_failures(self.index, rows, origin_id(self.index, *here))
            self._journal.append(records.failure(*row, *here) for row in rows)

    def touch(self, digests: Iterable[str]) -> None:
        """Notes that results are in use. A store that cannot be written serves them all the same.

        A date in the future, of a clock that was set back since, gives way too.
        """
        now = time.time()
        query = (
            f"SELECT digest FROM blobs WHERE (used < {now - FRESH!r} OR used > {now!r}) AND digest IN ({{}})"
        )
        raw = [bytes.fromhex(digest) for digest in dict.fromkeys(digests)]
        with suppress(Problem), told(self.path):
            stale = list(index.chosen(self.index, query, raw))
            if stale:
                with index.transaction(self.index):
                    self.index.executemany(
                        "UPDATE blobs SET used = ? WHERE digest = ?", ((now, d) for (d,) in stale)
                    )

    def _set_aside(self, digest: bytes, inline: bytes | None = None) -> None:
        """Takes a damaged result out of the way and out of the index; that it was there is remembered."""
        self.blobs.set_aside(digest, inline)
        # On a disk that is read only the rows stay, and the damage is found again at the next use.
        with suppress(Problem), told(self.path), index.transaction(self.index):
            self.index.execute(
                "INSERT OR REPLACE INTO failures SELECT recipe, kind, component, ?, ?, ?, origin FROM results"
                " WHERE digest = ?",
                (
                    DAMAGED,
                    f"the stored result {digest.hex()[:12]} was damaged or missing",
                    time.time(),
                    digest,
                ),
            )
            for table in ("keys", "results", "blobs"):
                self.index.execute(f"DELETE FROM {table} WHERE digest = ?", (digest,))
        self._warn(f"the stored result {digest.hex()[:12]} is damaged or missing; it is computed again")
