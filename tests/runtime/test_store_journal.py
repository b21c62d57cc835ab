"""The journal: an index that is lost or damaged comes back whole; older stores are brought up to date."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from gendsl_runtime.problem import Problem
from gendsl_runtime.store import Entry, Failed, Store
from gendsl_runtime.store.journal import Journal
from gendsl_runtime.store.owned import cleared, held, own_folder
from gendsl_runtime.store.rebuild import rebuild

SMALL, LARGE = b"small", bytes(range(256)) * 1000


def key(name: str) -> bytes:
    return sha256(name.encode()).digest()


def entry(name: str, payload: bytes = SMALL, place: int = 0) -> Entry:
    return Entry(
        key(name), key(f"{name} by content"), payload, "train", "train", 1.5, step="fit", place=place
    )


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A store with a small and a large result, a further key, and a failure."""
    folder = tmp_path / ".gendsl"
    with Store.open(folder) as store:
        store.begin("x", '{"spec": 1}')
        digest, _ = store.commit([entry("a"), entry("b", LARGE, place=1)])
        store.alias({key("c"): digest})
        store.note_failures([Failed(key("d"), "train", "train", "diverged", "diverged at step 3")])
    return folder


def known(folder: Path, warnings: list[str] | None = None) -> dict[str, bytes]:
    """Every result that the store gives, by name of its key."""
    names = ["a", "a by content", "b", "b by content", "c", "d"]
    with Store.open(folder, create=False, warn=(warnings if warnings is not None else []).append) as store:
        found = store.lookup(key(name) for name in names)
        assert store.failed([key("d")]) == {key("d"): ("diverged", "diverged at step 3")}
        return {name: store.read(found[key(name)]) for name in names if key(name) in found}


ALL = {"a": SMALL, "a by content": SMALL, "b": LARGE, "b by content": LARGE, "c": SMALL}


def deleted(file: Path) -> None:
    file.unlink()


def truncated(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def emptied_of_sense(file: Path) -> None:
    file.write_bytes(b"this is no database, whatever its name says" * 100)


def no_bytes(file: Path) -> None:
    file.write_bytes(b"")


@pytest.mark.parametrize("damage", [deleted, truncated, emptied_of_sense])
def test_an_index_that_is_lost_comes_back_from_the_journal(
    place: Path, damage: Callable[[Path], None]
) -> None:
    before = dump(place)
    damage(place / "index.sqlite")
    warnings: list[str] = []
    assert known(place, warnings) == ALL
    assert len(warnings) == 1 and "made again from the journal: 2 results" in warnings[0]
    assert dump(place) == before
    assert known(place, warnings) == ALL and len(warnings) == 1


def dump(folder: Path) -> list[object]:
    """Everything in the index but row numbers."""
    queries = [
        "SELECT * FROM blobs ORDER BY digest",
        "SELECT * FROM keys ORDER BY key",
        "SELECT digest, experiment, content, created FROM plans",
        "SELECT recipe, action, r.digest, kind, component, r.created, seconds, host, versions, p.digest, step, place"
        " FROM results r JOIN origins o ON o.id = origin JOIN plans p ON p.id = plan ORDER BY recipe",
        "SELECT recipe, kind, component, code, reason, created FROM failures",
    ]
    with closing(sqlite3.connect(folder / "index.sqlite")) as connection:
        return [connection.execute(query).fetchall() for query in queries]


def test_what_came_back_says_what_is_gone(place: Path) -> None:
    digest = sha256(LARGE).hexdigest()
    (place / "objects" / digest[:2] / digest).unlink()
    (place / "index.sqlite").unlink()
    warnings: list[str] = []
    assert known(place, warnings) == {name: value for name, value in ALL.items() if value == SMALL}
    assert "1 are gone" in warnings[0]


@pytest.mark.parametrize("how", ["torn", "a byte flipped", "garbage between"])
def test_a_damaged_line_of_the_journal_costs_that_line_alone(place: Path, how: str) -> None:
    journal = place / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    (at,) = (k for k, line in enumerate(lines) if SMALL.hex().encode() in line or b'"data"' in line)
    line = lines[at]
    if how == "torn":
        lines[at] = line[: len(line) // 2] + b"\n"
    elif how == "a byte flipped":
        lines[at] = line[:40] + bytes([line[40] ^ 1]) + line[41:]
    else:
        lines.insert(at, b"\0\xff\n")
    journal.write_bytes(b"".join(lines))
    (place / "index.sqlite").unlink()
    kept = ALL if how == "garbage between" else {n: v for n, v in ALL.items() if v == LARGE}
    assert known(place) == kept


def test_what_follows_a_torn_line_is_read(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append([{"alias": {"n": 1}}])
    with journal.path.open("ab") as file:
        file.write(b'12345678 {"alias": {"n"')
    journal.append([{"alias": {"n": 2}}])
    assert [record["alias"]["n"] for record in journal.read()] == [1, 2]
    assert journal.damaged == 1


def test_reindexing_takes_from_both_the_old_index_and_the_journal(place: Path) -> None:
    (place / "journal.jsonl").unlink()
    assert rebuild(place)[:2] == (2, 0)
    assert known(place) == ALL
    (place / "index.sqlite").unlink()
    assert known(place) == ALL  # the journal was made again as well


def test_an_empty_index_beside_a_journal_is_filled(place: Path) -> None:
    for suffix in ("-wal", "-shm"):
        (place / f"index.sqlite{suffix}").unlink(missing_ok=True)
    no_bytes(place / "index.sqlite")
    assert known(place) == ALL


WRITER = """
import sys
from hashlib import sha256
from pathlib import Path
from gendsl_runtime.store import Entry, Store

with Store.open(Path(sys.argv[1])) as store:
    for n in range(50):
        name = f"{sys.argv[2]} {n}".encode()
        store.commit([Entry(sha256(name).digest(), sha256(name + b"a").digest(), name, "train", "train", 1.0)])
"""


def test_writers_at_once_each_keep_their_lines(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(folder), name]) for name in "abc"]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    (folder / "index.sqlite").unlink()
    for suffix in ("-wal", "-shm"):
        (folder / f"index.sqlite{suffix}").unlink(missing_ok=True)
    with Store.open(folder, warn=lambda text: None) as store:
        keys = [sha256(f"{name} {n}".encode()).digest() for name in "abc" for n in range(50)]
        assert len(store.lookup(keys)) == 150


FORMAT_1 = """
CREATE TABLE blobs (digest BLOB PRIMARY KEY, size INTEGER NOT NULL, data BLOB);
CREATE TABLE keys (key BLOB PRIMARY KEY, digest BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE origins (id INTEGER PRIMARY KEY, host TEXT NOT NULL, versions TEXT NOT NULL, UNIQUE (host, versions));
CREATE TABLE results (recipe BLOB PRIMARY KEY, action BLOB NOT NULL, digest BLOB NOT NULL, kind TEXT NOT NULL,
    component TEXT NOT NULL, created REAL NOT NULL, seconds REAL NOT NULL,
    origin INTEGER NOT NULL REFERENCES origins) WITHOUT ROWID;
CREATE TABLE failures (recipe BLOB PRIMARY KEY, kind TEXT NOT NULL, component TEXT NOT NULL, code TEXT NOT NULL,
    reason TEXT NOT NULL, created REAL NOT NULL, origin INTEGER NOT NULL REFERENCES origins) WITHOUT ROWID;
PRAGMA user_version = 1;
"""


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A store as GenDSL 0.1 wrote it, with its literal schema."""
    folder = tmp_path / "old"
    digest = sha256(LARGE).hexdigest()
    (folder / "objects" / digest[:2]).mkdir(parents=True)
    (folder / "objects" / digest[:2] / digest).write_bytes(LARGE)
    with closing(sqlite3.connect(folder / "index.sqlite")) as connection, connection:
        connection.executescript(FORMAT_1)
        connection.execute("INSERT INTO origins VALUES (1, 'host', '{}')")
        for name, payload in (("a", SMALL), ("b", LARGE)):
            raw = sha256(payload).digest()
            data = payload if payload == SMALL else None
            connection.execute("INSERT INTO blobs VALUES (?, ?, ?)", (raw, len(payload), data))
            for one in (name, f"{name} by content"):
                connection.execute("INSERT INTO keys VALUES (?, ?)", (key(one), raw))
            row = (key(name), key(f"{name} by content"), raw, "train", "train", 1.6e9, 2.0, 1)
            connection.execute("INSERT INTO results VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
        connection.execute("INSERT INTO keys VALUES (?, ?)", (key("c"), sha256(SMALL).digest()))
        row = (key("d"), "train", "train", "diverged", "diverged at step 3", 1.6e9, 1)
        connection.execute("INSERT INTO failures VALUES (?, ?, ?, ?, ?, ?, ?)", row)
    return folder


def test_a_store_of_the_format_before_is_brought_up_to_date(old: Path) -> None:
    assert known(old) == ALL
    with closing(sqlite3.connect(old / "index.sqlite")) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (2,)
        assert connection.execute("SELECT DISTINCT used FROM blobs").fetchall() == [(1.6e9,)]
    with Store.open(old) as store:
        store.begin("x", "{}")
        store.commit([entry("new", b"new")])
    (old / "index.sqlite").unlink()
    assert known(old) == ALL


def test_a_migration_that_fails_changes_nothing(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(Problem) as caught:
            Store.open(old)
        assert caught.value.code == "disk-full"
    assert not (old / "journal.jsonl").exists() or not (old / "journal.jsonl").stat().st_size
    with closing(sqlite3.connect(old / "index.sqlite")) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    assert known(old) == ALL


def test_a_full_disk_leaves_index_and_journal_of_one_mind(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal, before = place / "journal.jsonl", (place / "journal.jsonl").read_bytes()
    real, written = os.write, []

    def full(handle: int, content: memoryview) -> int:
        if written:
            raise OSError(28, "No space left on device")
        written.append(real(handle, content[: len(content) // 2]))
        return written[0]

    with Store.open(place) as store:
        with monkeypatch.context() as patch:
            patch.setattr("gendsl_runtime.store.journal.os.write", full)
            with pytest.raises(Problem) as caught:
                store.commit([entry("e", b"another")])
        assert caught.value.code == "disk-full"
        assert store.lookup([key("e")]) == {}
        assert journal.read_bytes() == before
        store.commit([entry("e", b"another")])
        assert len(store.lookup([key("e")])) == 1


def test_only_what_dead_processes_left_is_cleared_away(tmp_path: Path) -> None:
    store = tmp_path / "store"
    (store / "tmp").mkdir(parents=True)
    (store / "runs" / "x-001").mkdir(parents=True)
    for dead in ("attempts-dead", "runs/.x-002"):
        (store / dead).mkdir()
        (store / dead / "file").write_text("half")
    (store / "tmp" / "draft").write_text("half")
    living = store / "runs" / ".x-003"
    living.mkdir()
    with held(living) as is_there, own_folder(store) as attempts:
        assert is_there
        gone = {path.name for path in cleared(store)}
        assert gone == {"attempts-dead", ".x-002", "draft"}
        assert attempts.is_dir() and living.is_dir() and (store / "runs" / "x-001").is_dir()
    assert not attempts.exists()
    assert {path.name for path in cleared(store)} == {".x-003"}


def test_a_use_is_noted_to_the_hour_and_clocks_may_go_back(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def used() -> list[float]:
        with closing(sqlite3.connect(place / "index.sqlite")) as connection:
            return [when for (when,) in connection.execute("SELECT DISTINCT used FROM blobs")]

    digests = [sha256(payload).hexdigest() for payload in (SMALL, LARGE)]
    (start,) = used()
    with Store.open(place) as store:
        for now, expected in ((start + 60, start), (start + 7200, start + 7200), (start - 9e6, start - 9e6)):
            monkeypatch.setattr("gendsl_runtime.store.store.time.time", lambda now=now: now)
            store.touch(digests)
            assert used() == [expected]
