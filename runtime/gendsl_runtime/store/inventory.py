"""What a store holds, and taking results out of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gendsl_runtime.store import index
from gendsl_runtime.store.checkpoints import CHECKPOINTS, Checkpoints
from gendsl_runtime.store.entry import Damaged
from gendsl_runtime.store.faults import told
from gendsl_runtime.store.journal import Journal
from gendsl_runtime.store.rebuild import compacted
from gendsl_runtime.store.store import Store

SETTLED = 3600.0
"""Age in seconds from which a file that no result names is left over, and not just being written."""


@dataclass(frozen=True)
class Group:
    """The results of one step of one experiment; those of before the store knew such things have neither name."""

    experiment: str
    step: str
    kind: str
    component: str
    results: int
    size: int
    """Bytes; content that several results share counts for each."""
    used: float
    """When one was last used, seconds since 1970, UTC."""
    seconds: float
    """Of computing."""


@dataclass(frozen=True)
class Removal:
    """What would go, or went: results, bytes, seconds to compute them again, last use; and stray files."""

    results: int = 0
    size: int = 0
    seconds: float = 0.0
    used: float = 0.0
    groups: tuple[Group, ...] = ()
    stray: int = 0
    stray_size: int = 0


def groups(store: Store, digests: Collection[bytes] | None = None) -> list[Group]:
    """What is stored, folded by experiment and step; of some results only where `digests` are given."""
    with told(store.path):
        _choose(store, digests)
        where = "" if digests is None else " WHERE r.digest IN (SELECT digest FROM chosen)"
        rows = store.index.execute(
            "SELECT coalesce(p.experiment, ''), step, kind, component, count(*), sum(size), max(used), sum(seconds)"
            " FROM results r JOIN blobs b ON b.digest = r.digest LEFT JOIN plans p ON p.id = r.plan"
            f"{where} GROUP BY 1, 2, 3, 4 ORDER BY 1, min(r.created), 2"
        )
        return [Group(*row) for row in rows]


def total(store: Store) -> tuple[int, int]:
    """Different contents, and their bytes."""
    with told(store.path):
        row = store.index.execute("SELECT count(*), coalesce(sum(size), 0) FROM blobs").fetchone()
    return int(row[0]), int(row[1])


def damaged(store: Store, tell: Callable[[int], None] = lambda size: None) -> list[str]:
    """Reads every result and compares it with its digest; sets aside and returns those that are damaged."""
    with told(store.path):
        known = store.index.execute("SELECT digest, size FROM blobs ORDER BY digest").fetchall()
    found = []
    for digest, size in known:
        try:
            store.read(digest.hex())
        except Damaged as damage:
            found.append(damage.digest)
        tell(size)
    return found


def unused(store: Store, *, before: float, kept: Collection[bytes]) -> set[bytes]:
    """The digests of results last used before a time, but for those `kept`."""
    with told(store.path):
        rows = store.index.execute("SELECT digest FROM blobs WHERE used < ?", (before,))
        return {digest for (digest,) in rows} - set(kept)


def removal(store: Store, digests: Collection[bytes], stray: Iterable[Path] = ()) -> Removal:
    """What taking those contents and files away would free, and cost."""
    found = tuple(groups(store, digests))
    sizes = [_size(path) for path in stray]
    with told(store.path):
        row = store.index.execute(
            "SELECT coalesce(sum(size), 0) FROM blobs WHERE digest IN (SELECT digest FROM chosen)"
        ).fetchone()
    return Removal(
        results=sum(group.results for group in found),
        size=int(row[0]),
        seconds=sum(group.seconds for group in found),
        used=max((group.used for group in found), default=0.0),
        groups=found,
        stray=len(sizes),
        stray_size=sum(sizes),
    )


def orphans(store: Store) -> set[bytes]:
    """The digests that no key names any more."""
    with told(store.path):
        return {
            d
            for (d,) in store.index.execute(
                "SELECT digest FROM blobs WHERE digest NOT IN (SELECT digest FROM keys)"
            )
        }


def stray_files(store: Store) -> Iterator[Path]:
    """Files of results that the index does not know, and what was set aside as damaged; none of the last hour."""
    with told(store.path):
        known = {
            digest.hex() for (digest,) in store.index.execute("SELECT digest FROM blobs WHERE data IS NULL")
        }
    now = time.time()
    for path in (*store.path.glob("objects/*/*"), *store.path.glob("quarantine/*")):
        is_known = path.parent.name != "quarantine" and path.name in known
        if not is_known and path.is_file() and abs(now - path.stat().st_mtime) > SETTLED:
            yield path


def stray_checkpoints(store: Store, *, before: float) -> list[Path]:
    """Checkpoints that no training will go on from: of stored results, of another version, damaged, or older."""

    def are_stored(keys: Collection[str]) -> bool:
        return len(store.lookup(bytes.fromhex(key) for key in keys)) == len(keys)

    return Checkpoints(store.path).useless(are_stored, before=before)


def led_to(store: Store, keys: Collection[bytes]) -> tuple[set[bytes], set[bytes]]:
    """The contents that only these keys, of either kind, lead to; and the keys, those that belong to them included."""
    with told(store.path):
        store.index.execute("CREATE TEMP TABLE IF NOT EXISTS going (key BLOB PRIMARY KEY) WITHOUT ROWID")
        store.index.execute("DELETE FROM going")
        store.index.executemany("INSERT OR IGNORE INTO going VALUES (?)", ((key,) for key in keys))
        store.index.execute(
            "INSERT OR IGNORE INTO going SELECT action FROM results WHERE recipe IN (SELECT key FROM going)"
        )
        rows = store.index.execute(
            "SELECT DISTINCT digest FROM keys WHERE key IN (SELECT key FROM going) AND digest NOT IN"
            " (SELECT digest FROM keys WHERE key NOT IN (SELECT key FROM going))"
        )
        digests = {digest for (digest,) in rows}
        found = store.index.execute("SELECT key FROM keys WHERE key IN (SELECT key FROM going)")
        return digests, {key for (key,) in found}


def remove(
    store: Store, digests: Collection[bytes], keys: Collection[bytes] = (), stray: Collection[Path] = ()
) -> None:
    """Takes contents, further keys and stray files away. Killed in between, it has removed some or all.

    A run at the same time that needs one of them computes it again.
    """
    with told(store.path):
        _choose(store, digests)
        files = [
            d
            for (d,) in store.index.execute(
                "SELECT digest FROM chosen JOIN blobs USING (digest) WHERE data IS NULL"
            )
        ]
        with index.transaction(store.index):
            for table in ("keys", "results", "blobs"):
                store.index.execute(f"DELETE FROM {table} WHERE digest IN (SELECT digest FROM chosen)")
            store.index.executemany("DELETE FROM keys WHERE key = ?", ((key,) for key in keys))
            store.index.executemany("DELETE FROM results WHERE recipe = ?", ((key,) for key in keys))
            store.index.execute(
                "DELETE FROM plans WHERE id NOT IN (SELECT plan FROM results WHERE plan IS NOT NULL)"
            )
        for path in (*(store.blobs.path(digest) for digest in files), *stray):
            path.unlink(missing_ok=True)
        for folder in {path.parent for path in stray if path.parent.parent.name == CHECKPOINTS}:
            with suppress(OSError):
                folder.rmdir()
        compacted(store.index, Journal(store.path))
        store.index.execute("VACUUM")
        store.index.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _choose(store: Store, digests: Collection[bytes] | None) -> None:
    """Makes the temporary table `chosen`, which may hold more digests than a query takes."""
    store.index.execute("CREATE TEMP TABLE IF NOT EXISTS chosen (digest BLOB PRIMARY KEY) WITHOUT ROWID")
    store.index.execute("DELETE FROM chosen")
    store.index.executemany(
        "INSERT OR IGNORE INTO chosen VALUES (?)", ((digest,) for digest in digests or ())
    )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
