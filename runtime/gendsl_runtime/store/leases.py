"""Who computes what at the moment, among all runs on one store.

A run has one file, held by a lock of the kernel (`flock`) that dies with it, and in `leases/held.sqlite` a row for
each result that it is computing and a count that goes up while it lives. Of a run on this host the lock is asked; one
on another host, or one that is stopped, is taken for dead when its count stands still for so long. No clocks are
compared. Nothing is lost with a lease: at worst a result is computed twice, and committed twice the same.
"""

from __future__ import annotations

import os
import platform
import sqlite3
import tempfile
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any, NamedTuple

from gendsl_runtime.store.faults import is_damage
from gendsl_runtime.store.index import chosen, run_script, transaction
from gendsl_runtime.store.owned import RUNNER, held, is_owned

EXPIRES = 30.0
"""Seconds without a sign of life after which others compute what a run has begun."""
BUSY_SECONDS = 5.0
SCHEMA = """
CREATE TABLE IF NOT EXISTS runners (
    name TEXT PRIMARY KEY,    -- of its file
    host TEXT NOT NULL,
    pid INTEGER NOT NULL,
    beat INTEGER NOT NULL     -- goes up while it lives
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS leases (
    key BLOB PRIMARY KEY,     -- action key
    runner TEXT NOT NULL,
    since REAL NOT NULL       -- seconds since 1970, UTC: for people
) WITHOUT ROWID;
"""


class Holder(NamedTuple):
    """The run that computes a result."""

    host: str
    pid: int
    since: float


class Leases:
    """The leases of one run. Where there can be none (a full or read-only disk), it goes on as if it were alone."""

    def __init__(self, store: Path) -> None:
        self._folder = store / "leases"
        self._host, self._name = platform.node(), ""
        self._own, self._lock, self._over = ExitStack(), Lock(), Event()
        self._index: sqlite3.Connection | None = None
        self._is_alone = False
        self._beats: dict[str, tuple[int, float]] = {}
        """The last count of each other run, and when it was first seen, by this process's own clock."""

    def claim(self, keys: Collection[bytes]) -> Mapping[bytes, Holder]:
        """Takes the keys that no living run holds; who holds the others."""

        def claimed(index: sqlite3.Connection) -> Mapping[bytes, Holder]:
            with transaction(index):
                taken = dict(self._living(index, keys, is_final=True))
                rows = [(key, self._name, time.time()) for key in keys if key not in taken]
                index.executemany("INSERT OR REPLACE INTO leases VALUES (?, ?, ?)", rows)
            return taken

        return self._tried(claimed)

    def held(self, keys: Collection[bytes]) -> Mapping[bytes, Holder]:
        """Those of the keys that another living run holds."""
        return self._tried(lambda index: dict(self._living(index, keys, is_final=False)))

    def release(self, keys: Iterable[bytes]) -> None:
        """Gives keys back: their results are committed, or there are none."""

        def released(index: sqlite3.Connection) -> Mapping[bytes, Holder]:
            with transaction(index):
                rows = ((key, self._name) for key in keys)
                index.executemany("DELETE FROM leases WHERE key = ? AND runner = ?", rows)
            return {}

        self._tried(released)

    def close(self) -> None:
        """Gives everything back."""
        self._over.set()
        with self._lock:
            if self._index is not None:
                with suppress(sqlite3.Error), transaction(self._index):
                    _forget(self._index, self._name)
                self._index.close()
                self._index = None
            self._is_alone = True
            if self._name:
                (self._folder / self._name).unlink(missing_ok=True)
            self._own.close()

    def _tried(self, work: Callable[[sqlite3.Connection], Mapping[bytes, Holder]]) -> Mapping[bytes, Holder]:
        """Does the work on the index of leases, made anew where it is damaged; nobody holds anything where it fails."""
        with self._lock:
            for _ in range(2):
                if self._is_alone:
                    break
                try:
                    return work(self._opened())
                except (OSError, sqlite3.Error) as error:
                    self._is_alone = not (isinstance(error, sqlite3.Error) and is_damage(error))
                    self._give_up()
            self._is_alone = True
            return {}

    def _give_up(self) -> None:
        """Leaves an index that is of no use; one that is damaged makes room."""
        if self._index is not None:
            self._index.close()
            self._index = None
        if not self._is_alone:
            with suppress(OSError):
                (self._folder / "held.sqlite").unlink(missing_ok=True)

    def _opened(self) -> sqlite3.Connection:
        if self._index is None:
            self._folder.mkdir(exist_ok=True)
            self._begin()
            index = self._index = sqlite3.connect(
                self._folder / "held.sqlite",
                timeout=BUSY_SECONDS,
                isolation_level=None,
                check_same_thread=False,
            )
            # Leases need not outlive a loss of power, only a process.
            index.execute("PRAGMA synchronous = OFF")
            index.execute("PRAGMA journal_mode = TRUNCATE")
            with transaction(index):
                run_script(index, SCHEMA)
                self._bury(index)
                row = (self._name, self._host, os.getpid(), 0)
                index.execute("INSERT OR REPLACE INTO runners VALUES (?, ?, ?, ?)", row)
        return self._index

    def _begin(self) -> None:
        """Makes the file of this run and begins to tell that it lives."""
        while not self._name:
            handle, path = tempfile.mkstemp(prefix=RUNNER, dir=self._folder)
            os.close(handle)
            with ExitStack() as own:
                if own.enter_context(held(Path(path))):
                    self._own, self._name = own.pop_all(), Path(path).name
                    Thread(target=self._beat, daemon=True).start()

    def _beat(self) -> None:
        while not self._over.wait(EXPIRES / 6):
            with self._lock:
                if self._index is not None:
                    # A run that others took for dead, since it was stopped, is one of them again.
                    with suppress(sqlite3.Error):
                        self._index.execute("UPDATE runners SET beat = beat + 1 WHERE name = ?", [self._name])

    def _bury(self, index: sqlite3.Connection) -> None:
        """Removes what dead runs of this host have left."""
        for (name,) in index.execute("SELECT name FROM runners WHERE host = ?", [self._host]).fetchall():
            if not is_owned(self._folder / name):
                _forget(index, name)

    def _living(
        self, index: sqlite3.Connection, keys: Collection[bytes], *, is_final: bool
    ) -> Iterator[tuple[bytes, Holder]]:
        """The keys that others hold who are alive; `is_final` takes the leases of those who are not."""
        query = (
            "SELECT key, since, runner, host, pid, beat FROM leases LEFT JOIN runners ON name = runner"
            " WHERE key IN ({})"
        )
        alive: dict[str, bool] = {self._name: False}
        found: list[tuple[Any, ...]] = list(chosen(index, query, list(keys)))
        for key, since, runner, host, pid, beat in found:
            if runner not in alive:
                alive[runner] = host is not None and self._is_alive(runner, host, beat)
                if is_final and not alive[runner]:
                    index.execute("DELETE FROM leases WHERE runner = ?", [runner])
            if alive[runner]:
                yield key, Holder(host, pid, since)

    def _is_alive(self, runner: str, host: str, beat: int) -> bool:
        if host == self._host and not is_owned(self._folder / runner):
            return False
        last = self._beats.get(runner)
        if last is None or last[0] != beat:
            self._beats[runner] = beat, time.monotonic()
            return True
        return time.monotonic() - last[1] < EXPIRES


def _forget(index: sqlite3.Connection, name: str) -> None:
    index.execute("DELETE FROM leases WHERE runner = ?", [name])
    index.execute("DELETE FROM runners WHERE name = ?", [name])
