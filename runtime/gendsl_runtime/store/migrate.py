"""Stores of older formats, brought to the one of today.

Format 1 (GenDSL 0.1) had no journal, no record of what a result was computed for, and no last use.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from gendsl_runtime.problem import Problem
from gendsl_runtime.store import records
from gendsl_runtime.store.index import run_script
from gendsl_runtime.store.journal import Journal

FROM_1 = """
ALTER TABLE blobs ADD COLUMN used REAL NOT NULL DEFAULT 0;
UPDATE blobs SET used = coalesce((SELECT max(created) FROM results WHERE results.digest = blobs.digest), 0);
CREATE TABLE plans (
    id INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    experiment TEXT NOT NULL,
    content TEXT NOT NULL,
    created REAL NOT NULL
);
ALTER TABLE results ADD COLUMN plan INTEGER REFERENCES plans;
ALTER TABLE results ADD COLUMN step TEXT NOT NULL DEFAULT '';
ALTER TABLE results ADD COLUMN place INTEGER NOT NULL DEFAULT 0;
"""


def migrate(connection: sqlite3.Connection, place: Path, version: int) -> None:
    """Brings the index of the store in the folder `place` from format `version` up to date, in a transaction.

    Raises:
        Problem: `store-older` where the disk is read only: nothing can be changed, and nothing is guessed.
    """
    try:
        run_script(connection, FROM_1)
    except sqlite3.OperationalError as error:
        if not error.sqlite_errorname.startswith("SQLITE_READONLY"):
            raise
        raise Problem(
            "store-older",
            f"the store {place} was made by an older GenDSL (format {version}), and its disk is read only",
            help="use it once where it can be written, or choose another place with `--store PATH`",
        ) from error
    Journal(place).rewrite(records.of_index(connection))
