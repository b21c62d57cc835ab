"""Faults of the disk and of SQLite, in the user's words."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gendsl_runtime.problem import Problem

FULL = (errno.ENOSPC, errno.EDQUOT)
ELSEWHERE = "choose another place with `--store PATH` or the environment variable GENDSL_STORE"


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Raises what goes wrong with the store at `path` as a `Problem`."""
    try:
        yield
    except OSError as error:
        raise _of_disk(error, path) from error
    except (sqlite3.IntegrityError, sqlite3.ProgrammingError):
        raise  # a mistake of ours, not of the disk
    except sqlite3.Error as error:
        raise _of_index(error, path) from error


def _of_disk(error: OSError, path: Path) -> Problem:
    if error.errno in FULL:
        return _full(path)
    reason = error.strerror or str(error)
    return Problem("store-unwritable", f"cannot write the store {path}: {reason}", help=ELSEWHERE)


def _full(path: Path) -> Problem:
    return Problem(
        "disk-full", f"no space left for the store {path}", help=f"free some space, or {ELSEWHERE}"
    )


def _of_index(error: sqlite3.Error, path: Path) -> Problem:
    code = getattr(error, "sqlite_errorname", "")
    if code == "SQLITE_FULL":
        return _full(path)
    if code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return Problem(
            "store-busy",
            f"another process has been writing the store {path} for too long",
            help="wait for it to end, then run the same command again",
        )
    if code.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_IOERR")):
        return Problem("store-unwritable", f"cannot write the store {path}: {error}", help=ELSEWHERE)
    return Problem(
        "store-damaged",
        f"the index of the store {path} cannot be read: {error}",
        help=f"move {path / 'index.sqlite'} away: results are then computed again; or {ELSEWHERE}",
    )
