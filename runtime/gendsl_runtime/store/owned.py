"""Files and folders of a process that may die: held by a lock that dies with it, and cleared away after that.

A lock of the kernel (`flock`) knows whether its owner lives, whatever process numbers or clocks say. Where a disk has
none, nothing is cleared away.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

ATTEMPTS = "attempts-"
"""How the folders begin in which workers write."""
RUNNER = "run-"
"""How the files in `leases/` begin that runs hold while they live."""


@contextmanager
def held(path: Path) -> Iterator[bool]:
    """Holds a file or folder that was just made; whether it is still there, or was taken for a dead one's before."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        yield False
        return
    try:
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield path.exists()
    finally:
        os.close(handle)


@contextmanager
def own_folder(store: Path) -> Iterator[Path]:
    """A fresh folder in the store for the attempts of this process; gone at the end, or when the next run begins."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=ATTEMPTS, dir=store))
        with held(folder) as is_there:
            if not is_there:
                continue
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)
            return


def is_owned(path: Path) -> bool:
    """Whether somebody holds this; also where nobody can tell."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False


def cleared(store: Path) -> list[Path]:
    """Removes what processes that are dead left half done: attempts, drafts of results and of runs. Best effort."""
    drafts = [*(store / "tmp").glob("*"), *(store / "runs").glob(".*")]
    left = [*store.glob(f"{ATTEMPTS}*"), *drafts, *(store / "leases").glob(f"{RUNNER}*")]
    return [path for path in left if _cleared(path)]


def _cleared(path: Path) -> bool:
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if path.is_dir():
            # A worker that outlives its run for a moment must not write into what is being removed.
            gone = path.with_name(f"{path.name}.gone")
            path.rename(gone)
            shutil.rmtree(gone)
        else:
            path.unlink()
    except OSError:
        return False  # somebody is at work there, or the disk is read only
    finally:
        os.close(handle)
    return True
