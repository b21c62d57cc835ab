"""An index made again from the journal and the files of the store."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import NamedTuple

from gendsl_runtime.store import index, records
from gendsl_runtime.store.blobs import Blobs, synced
from gendsl_runtime.store.faults import is_damage
from gendsl_runtime.store.journal import Journal, Record


class Rebuilt(NamedTuple):
    """What came back: results; results that are nowhere any more; lines of the journal that made no sense."""

    results: int
    lost: int
    damaged: int


def opened(store: Path) -> tuple[sqlite3.Connection, Rebuilt | None]:
    """The index of a store; where it is gone or damaged and there is a journal, made again first."""
    file = store / "index.sqlite"
    journal = Journal(store)
    if _has_content(file) or not journal.path.exists():
        try:
            return index.connected(file), None
        except sqlite3.DatabaseError as error:
            if not is_damage(error) or not journal.path.exists():
                raise
    with journal.locked():
        # Another process may have made it again while this one waited.
        made = None if _is_readable(file) else _made_again(store, journal)
    return index.connected(file), made


def rebuild(store: Path) -> Rebuilt:
    """Makes the index again from the journal, and from what the old index still tells."""
    journal = Journal(store)
    with journal.locked():
        made = _made_again(store, journal)
    with closing(index.connected(store / "index.sqlite")) as connection:
        compacted(connection, journal)
    return made


def compacted(connection: sqlite3.Connection, journal: Journal) -> None:
    """Writes the journal anew with what the index holds and nothing else; nobody commits meanwhile."""
    with index.transaction(connection):
        journal.rewrite(records.of_index(connection))


def _has_content(file: Path) -> bool:
    """Whether there is a file; an empty one is none, though SQLite would take it for a new index."""
    return file.exists() and file.stat().st_size > 0


def _is_readable(file: Path) -> bool:
    if not _has_content(file):
        return False
    try:
        with closing(index.connected(file)):
            return True
    except sqlite3.DatabaseError:
        return False


def _made_again(store: Path, journal: Journal) -> Rebuilt:
    """The new index is built beside the old one and takes its place at the end: killed before, nothing has changed."""
    file, draft = store / "index.sqlite", store / "index.new"
    draft.unlink(missing_ok=True)
    with closing(sqlite3.connect(draft, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        with index.transaction(connection):
            index.run_script(connection, index.SCHEMA)
            connection.execute(f"PRAGMA user_version = {index.VERSION}")
            lost = records.restore(connection, _all(file, journal), Blobs(store))
        results: int = connection.execute("SELECT count(*) FROM results").fetchone()[0]
    _set_aside(store)
    with draft.open("rb") as built:
        os.fsync(built.fileno())
    draft.replace(file)
    synced(store)
    return Rebuilt(results, lost, journal.damaged)


def _all(file: Path, journal: Journal) -> Iterator[Record]:
    """What the old index tells, as far as it can be read, and then the journal, which knows better."""
    if file.exists():
        with (
            suppress(sqlite3.Error),
            closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as old,
        ):
            yield from records.of_index(old)
    yield from journal.read()


def _set_aside(store: Path) -> None:
    """Moves the old index and its log away together: a log must never meet an index that is not its own."""
    folder = store / "quarantine"
    for suffix in ("-wal", "-shm", ""):
        old = store / f"index.sqlite{suffix}"
        if old.exists():
            folder.mkdir(exist_ok=True)
            old.replace(folder / old.name)
