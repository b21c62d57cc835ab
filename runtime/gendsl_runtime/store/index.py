"""The index: which key has which result, in one SQLite file (write-ahead log, one connection a process)."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from gendsl_runtime.problem import Problem

VERSION = 2
BUSY_SECONDS = 60.0
CHUNK = 10_000
"""Keys asked for in one query; SQLite takes at least 32,766."""

SCHEMA = """
CREATE TABLE blobs (
    digest BLOB PRIMARY KEY,  -- SHA-256 of the content
    size INTEGER NOT NULL,
    data BLOB,                -- the content, where it is small; else it is a file
    used REAL NOT NULL        -- when a run last had use for it, to the hour
);
CREATE TABLE keys (           -- recipe keys and action keys, told apart by their hash's domain
    key BLOB PRIMARY KEY,
    digest BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE origins (
    id INTEGER PRIMARY KEY,
    host TEXT NOT NULL,
    versions TEXT NOT NULL,   -- JSON
    UNIQUE (host, versions)
);
CREATE TABLE plans (          -- what results were computed for
    id INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    experiment TEXT NOT NULL,
    content TEXT NOT NULL,    -- JSON: the whole spec, and what else its keys are made from
    created REAL NOT NULL
);
CREATE TABLE results (        -- what was computed, one row a computation
    recipe BLOB PRIMARY KEY,
    action BLOB NOT NULL,
    digest BLOB NOT NULL,
    kind TEXT NOT NULL,
    component TEXT NOT NULL,
    created REAL NOT NULL,    -- seconds since 1970, UTC
    seconds REAL NOT NULL,
    origin INTEGER NOT NULL REFERENCES origins,
    plan INTEGER REFERENCES plans,
    step TEXT NOT NULL,       -- and its node, by its place along the step's axes
    place INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE failures (
    recipe BLOB PRIMARY KEY,
    kind TEXT NOT NULL,
    component TEXT NOT NULL,
    code TEXT NOT NULL,
    reason TEXT NOT NULL,
    created REAL NOT NULL,
    origin INTEGER NOT NULL REFERENCES origins
) WITHOUT ROWID;
"""


def connected(file: Path) -> sqlite3.Connection:
    """The index in `file`, made where there is none; read only where the disk is."""
    connection = _open(str(file), uri=False)
    try:
        _log_ahead(connection)
    except sqlite3.OperationalError as error:
        connection.close()
        if not error.sqlite_errorname.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN")) or not file.exists():
            raise
        # The log cannot be used on a read-only disk: what has been moved from it to the index is read.
        connection = _open(f"{file.resolve().as_uri()}?immutable=1", uri=True)
    try:
        connection.execute("PRAGMA synchronous = NORMAL")
        _at_this_version(connection, file)
    except BaseException:
        connection.close()
        raise
    return connection


def empty() -> sqlite3.Connection:
    """An index of nothing, in memory: of a store that is not there yet."""
    connection = _open(":memory:", uri=False)
    _at_this_version(connection, Path(":memory:"))
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing; the write lock is taken at the start, so that two writers queue instead of failing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def chosen(connection: sqlite3.Connection, query: str, keys: Sequence[bytes]) -> Iterable[tuple[bytes, ...]]:
    """The rows of `query`, whose `{}` stands for the keys, thousands at a time."""
    for start in range(0, len(keys), CHUNK):
        chunk = keys[start : start + CHUNK]
        yield from connection.execute(query.format(",".join("?" * len(chunk))), chunk)


def _open(name: str, *, uri: bool) -> sqlite3.Connection:
    return sqlite3.connect(name, timeout=BUSY_SECONDS, isolation_level=None, uri=uri)


def _log_ahead(connection: sqlite3.Connection) -> None:
    """Turns the write-ahead log on. SQLite does not wait here where several processes make the index."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if not error.sqlite_errorname.startswith("SQLITE_BUSY") or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _at_this_version(connection: sqlite3.Connection, file: Path) -> None:
    if _version(connection) < VERSION:
        with transaction(connection):
            found = _version(connection)
            if found == 0:
                run_script(connection, SCHEMA)
            elif found < VERSION:
                from gendsl_runtime.store.migrate import migrate

                migrate(connection, file.parent, found)
            if found < VERSION:
                connection.execute(f"PRAGMA user_version = {VERSION}")
    found = _version(connection)
    if found > VERSION:
        raise Problem(
            "store-newer",
            f"the store {file.parent} was made by a newer GenDSL (format {found}, this one knows {VERSION})",
            help="update GenDSL, or choose another place with `--store PATH`",
        )


def run_script(connection: sqlite3.Connection, script: str) -> None:
    """Runs statements inside the transaction that is open, which sqlite3's own `executescript` would end."""
    for statement in script.split(";\n"):
        connection.execute(statement)


def _version(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version
