"""Faults of the disk and of SQLite, in the user's words."""

from __future__ import annotations

import errno
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gendsl_runtime.problem import Problem

FULL = (errno.ENOSPC, errno.EDQUOT)
PAGE = 32_768
"""Bytes by which SQLite extends the file that the processes of one store share."""
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


def is_damage(error: sqlite3.Error) -> bool:
    """Whether SQLite cannot make sense of the file."""
    return getattr(error, "sqlite_errorname", "").startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB"))


def _of_disk(error: OSError, path: Path) -> Problem:
    if error.errno in FULL:
        return _full(path)
    if error.errno in (errno.EEXIST, errno.ENOTDIR):
        reason = f"{error.filename or path} is a file, not a folder"
    else:
        reason = (error.strerror or str(error)).lower()
    return Problem("store-unwritable", f"cannot write {path}: {reason}", help=ELSEWHERE)


def _full(path: Path) -> Problem:
    return Problem(
        "disk-full", f"no space left on the disk of {path}", help=f"free some space, or {ELSEWHERE}"
    )


def _is_full(path: Path) -> bool:
    """Whether the disk has less than a page of SQLite's shared memory left, which it tells as an I/O error."""
    try:
        return shutil.disk_usage(path).free < PAGE
    except OSError:
        return False


def _of_index(error: sqlite3.Error, path: Path) -> Problem:
    code = getattr(error, "sqlite_errorname", "")
    if code == "SQLITE_FULL" or (code.startswith("SQLITE_IOERR") and _is_full(path)):
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
        help=f"make the index again with `gen cache reindex --store {path}`: no result is lost",
    )
