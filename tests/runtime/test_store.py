"""The store: what is committed comes back, damage never does."""

from __future__ import annotations

import os
import sqlite3
from hashlib import sha256
from pathlib import Path

import pytest

from gendsl_runtime.problem import Problem
from gendsl_runtime.store import Damaged, Entry, Failed, Store

SMALL, LARGE = b"small", bytes(range(256)) * 1000


def key(name: str) -> bytes:
    return sha256(name.encode()).digest()


def entry(name: str, payload: bytes = SMALL) -> Entry:
    return Entry(key(name), key(f"{name} by content"), payload, kind="train", component="train", seconds=1.5)


def files(store: Path, folder: str) -> list[Path]:
    return [path for path in (store / folder).rglob("*") if path.is_file()]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "project" / ".gendsl"


@pytest.mark.parametrize("payload", [b"", SMALL, LARGE])
def test_a_result_is_found_by_both_keys_and_after_reopening(place: Path, payload: bytes) -> None:
    with Store.open(place) as store:
        (digest,) = store.commit([entry("a", payload)])
        assert store.read(digest) == payload
    with Store.open(place) as store:
        keys = [key("a"), key("a by content"), key("b")]
        assert store.lookup(keys) == {key("a"): digest, key("a by content"): digest}
        assert store.read(digest) == payload
        assert digest == sha256(payload).hexdigest()


def test_only_large_results_are_files(place: Path) -> None:
    with Store.open(place) as store:
        digests = store.commit([entry("a", SMALL), entry("b", LARGE), entry("c", LARGE)])
    assert [path.name for path in files(place, "objects")] == [digests[1]] == [digests[2]]
    assert files(place, "tmp") == []


def test_an_alias_is_another_key_of_the_same_result(place: Path) -> None:
    with Store.open(place) as store:
        (digest,) = store.commit([entry("a")])
        store.alias({key("b"): digest})
        assert store.lookup([key("b")]) == {key("b"): digest}
        store.alias({})


def test_a_failure_is_remembered_but_is_no_result(place: Path) -> None:
    with Store.open(place) as store:
        store.note_failures([Failed(key("a"), "train", "train", "diverged", "diverged at step 3")])
        assert store.lookup([key("a")]) == {}
        assert store.failed([key("a"), key("b")]) == {key("a"): ("diverged", "diverged at step 3")}
        store.commit([entry("a")])
        assert store.failed([key("a")]) == {}


def test_results_say_where_they_come_from(place: Path) -> None:
    with Store.open(place) as store:
        store.commit([entry("a"), entry("b", LARGE)])
    rows = sqlite3.connect(place / "index.sqlite").execute(
        "SELECT kind, component, seconds, created > 1.7e9, host, versions"
        " FROM results JOIN origins ON id = origin"
    )
    kind, component, seconds, is_dated, host, versions = rows.fetchone()
    assert (kind, component, seconds, is_dated) == ("train", "train", 1.5, 1)
    assert host == os.uname().nodename
    assert '"torch"' in versions and '"python"' in versions


def damage(how: str, store: Path, digest: str) -> None:
    path = store / "objects" / digest[:2] / digest
    times = path.stat()
    if how == "deleted":
        path.unlink()
    elif how == "truncated":
        path.write_bytes(LARGE[:-1])
    else:
        path.write_bytes(LARGE[:77] + bytes([LARGE[77] ^ 1]) + LARGE[78:])
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


@pytest.mark.parametrize("how", ["deleted", "truncated", "one bit flipped"])
def test_a_damaged_file_is_never_served(place: Path, how: str) -> None:
    warnings: list[str] = []
    with Store.open(place, warn=warnings.append) as store:
        digest, other = store.commit([entry("a", LARGE), entry("b")])
        damage(how, place, digest)
        with pytest.raises(Damaged) as caught:
            store.read(digest)
        assert caught.value.code == "damaged"
        assert len(warnings) == 1 and digest[:12] in warnings[0]
        assert store.lookup([key("a"), key("a by content"), key("b")]) == {key("b"): other}
        assert len(files(place, "quarantine")) == (0 if how == "deleted" else 1)
        store.commit([entry("a", LARGE)])
        assert store.read(digest) == LARGE
    assert len(warnings) == 1


@pytest.mark.parametrize("how", ["deleted", "truncated"])
def test_a_lookup_does_not_report_a_file_that_is_gone_or_cut(place: Path, how: str) -> None:
    warnings: list[str] = []
    with Store.open(place, warn=warnings.append) as store:
        (digest,) = store.commit([entry("a", LARGE)])
        damage(how, place, digest)
        assert store.lookup([key("a"), key("a by content")]) == {}
        assert store.lookup([key("a")]) == {}
    assert len(warnings) == 1


def test_a_damaged_small_result_is_never_served(place: Path) -> None:
    with Store.open(place) as store:
        (digest,) = store.commit([entry("a")])
    other = sqlite3.connect(place / "index.sqlite")
    other.execute("UPDATE blobs SET data = ?", (b"smalL",))
    other.commit()
    other.close()
    warnings: list[str] = []
    with Store.open(place, warn=warnings.append) as store:
        with pytest.raises(Damaged):
            store.read(digest)
        assert store.lookup([key("a")]) == {}
    assert [path.read_bytes() for path in files(place, "quarantine")] == [b"smalL"]
    assert len(warnings) == 1


def test_a_commit_is_all_or_nothing(place: Path) -> None:
    wrong = Entry(key("c"), None, SMALL, kind="train", component="train", seconds=1.0)  # type: ignore[arg-type]
    with Store.open(place) as store:
        with pytest.raises(sqlite3.IntegrityError):
            store.commit([entry("a"), entry("b", LARGE), wrong])
        assert store.lookup([key("a"), key("b"), key("c")]) == {}
        store.commit([entry("a")])
        assert len(store.lookup([key("a")])) == 1


def test_a_store_that_is_not_there_can_be_asked_without_being_made(place: Path) -> None:
    with Store.open(place, create=False) as store:
        assert store.lookup([key("a")]) == {}
        assert store.failed([key("a")]) == {}
    assert not place.exists()


def test_a_newer_store_is_refused(place: Path) -> None:
    Store.open(place).close()
    connection = sqlite3.connect(place / "index.sqlite")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(Problem) as caught:
        Store.open(place)
    assert caught.value.code == "store-newer"
    assert "99" in caught.value.message and caught.value.help


def test_an_index_that_is_no_index_is_refused(place: Path) -> None:
    place.mkdir(parents=True)
    (place / "index.sqlite").write_bytes(b"this is no database, whatever its name says" * 100)
    with pytest.raises(Problem) as caught:
        Store.open(place)
    assert caught.value.code == "store-damaged"


def test_many_keys_are_asked_for_at_once(place: Path) -> None:
    entries = [entry(str(n), str(n).encode()) for n in range(25_000)]
    with Store.open(place) as store:
        digests = store.commit(entries)
        found = store.lookup(e.recipe_key for e in entries)
    assert found == {e.recipe_key: digest for e, digest in zip(entries, digests, strict=True)}
