"""What the index holds as records of the journal, and back."""

from __future__ import annotations

import sqlite3
from binascii import a2b_base64, b2a_base64
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

from gendsl_runtime.store.blobs import Blobs
from gendsl_runtime.store.journal import Record

INLINE = 100_000
"""Bytes up to which a result lies in the index itself."""


class Made(NamedTuple):
    """One result as the index has it."""

    recipe: bytes
    action: bytes
    digest: bytes
    kind: str
    component: str
    created: float
    seconds: float
    host: str
    versions: str
    plan: bytes | None
    """The digest of the plan it was computed for."""
    step: str
    place: int

    def record(self, size: int, data: bytes | None) -> Record:
        """The line of the journal; `data` is the result itself where it is small."""
        fields: dict[str, Any] = self._asdict()
        for name in ("recipe", "action", "digest", "plan"):
            fields[name] = fields[name] and fields[name].hex()
        fields["size"] = size
        if data is not None:
            fields["data"] = b2a_base64(data, newline=False).decode()
        return {"result": fields}


def of_index(connection: sqlite3.Connection) -> Iterator[Record]:
    """Everything in an index, as records."""
    for digest, experiment, content, created in connection.execute(
        "SELECT digest, experiment, content, created FROM plans ORDER BY id"
    ):
        yield plan(digest, experiment, content, created)
    rows = connection.execute(
        "SELECT recipe, action, r.digest, kind, component, r.created, seconds, host, versions, p.digest, step, place,"
        " size, data FROM results r JOIN origins o ON o.id = r.origin JOIN blobs b ON b.digest = r.digest"
        " LEFT JOIN plans p ON p.id = r.plan"
    )
    for *fields, size, data in rows:
        yield Made(*fields).record(size, data)
    for key, digest in connection.execute(
        "SELECT key, digest FROM keys WHERE key NOT IN (SELECT recipe FROM results)"
        " AND key NOT IN (SELECT action FROM results)"
    ):
        yield alias(key, digest)
    for row in connection.execute(
        "SELECT recipe, kind, component, code, reason, created, host, versions"
        " FROM failures f JOIN origins o ON o.id = f.origin"
    ):
        yield failure(*row)


def plan(digest: bytes, experiment: str, content: str, created: float) -> Record:
    return {
        "plan": {"digest": digest.hex(), "experiment": experiment, "content": content, "created": created}
    }


def alias(key: bytes, digest: bytes) -> Record:
    return {"alias": {"key": key.hex(), "digest": digest.hex()}}


def failure(recipe: bytes, *rest: object) -> Record:
    return {"failure": [recipe.hex(), *rest]}


def restore(connection: sqlite3.Connection, records: Iterable[Record], blobs: Blobs) -> int:
    """Puts records into an index, inside a transaction; returns how many of their results are there no more."""
    lost: set[bytes] = set()
    for record in records:
        ((what, fields),) = record.items()
        if what == "plan":
            add_plan(
                connection,
                bytes.fromhex(fields["digest"]),
                fields["experiment"],
                fields["content"],
                fields["created"],
            )
        elif what == "result":
            digest = bytes.fromhex(fields["digest"])
            (lost.discard if _restored(connection, fields, blobs) else lost.add)(digest)
        elif what == "alias":
            connection.execute(
                "INSERT OR REPLACE INTO keys SELECT ?, digest FROM blobs WHERE digest = ?",
                (bytes.fromhex(fields["key"]), bytes.fromhex(fields["digest"])),
            )
        elif what == "failure":
            recipe, kind, component, code, reason, created, host, versions = fields
            row = (bytes.fromhex(recipe), kind, component, code, reason, created)
            add_failures(connection, [row], origin_id(connection, host, versions))
    return len(lost)


def _restored(connection: sqlite3.Connection, fields: dict[str, Any], blobs: Blobs) -> bool:
    """Enters one result whose content is there; whether it is."""
    size, text = fields.pop("size"), fields.pop("data", None)
    raw = {
        name: fields[name] and bytes.fromhex(fields[name]) for name in ("recipe", "action", "digest", "plan")
    }
    made = Made(**{**fields, **raw})
    data = None if text is None else a2b_base64(text)
    is_whole = sha256(data).digest() == made.digest if data is not None else blobs.size(made.digest) == size
    if is_whole:
        connection.execute(
            "INSERT OR REPLACE INTO blobs VALUES (?, ?, ?, ?)", (made.digest, size, data, made.created)
        )
        add_results(connection, [made], origin_id(connection, made.host, made.versions))
    return is_whole


def add_results(connection: sqlite3.Connection, made: Sequence[Made], origin: int) -> None:
    """Enters results that share one origin, with both keys of each; what failed before has not failed any more."""
    insert = connection.executemany
    insert("INSERT OR REPLACE INTO keys VALUES (?, ?)", ((one.recipe, one.digest) for one in made))
    insert("INSERT OR REPLACE INTO keys VALUES (?, ?)", ((one.action, one.digest) for one in made))
    insert(
        "INSERT OR REPLACE INTO results VALUES (?, ?, ?, ?, ?, ?, ?, ?, (SELECT id FROM plans WHERE digest = ?), ?, ?)",
        ((*one[:7], origin, one.plan, one.step, one.place) for one in made),
    )
    insert("DELETE FROM failures WHERE recipe = ?", ((one.recipe,) for one in made))


def add_plan(
    connection: sqlite3.Connection, digest: bytes, experiment: str, content: str, created: float
) -> None:
    """Enters a plan, where it is not there yet."""
    connection.execute(
        "INSERT OR IGNORE INTO plans (digest, experiment, content, created) VALUES (?, ?, ?, ?)",
        (digest, experiment, content, created),
    )


def add_failures(
    connection: sqlite3.Connection, rows: Iterable[tuple[bytes, str, str, str, str, float]], origin: int
) -> None:
    """Enters why nodes failed."""
    connection.executemany(
        "INSERT OR REPLACE INTO failures VALUES (?, ?, ?, ?, ?, ?, ?)", ((*row, origin) for row in rows)
    )


def origin_id(connection: sqlite3.Connection, host: str, versions: str) -> int:
    """The number of an origin, entered where it is new."""
    connection.execute("INSERT OR IGNORE INTO origins (host, versions) VALUES (?, ?)", (host, versions))
    query = "SELECT id FROM origins WHERE host = ? AND versions = ?"
    number: int = connection.execute(query, (host, versions)).fetchone()[0]
    return number
