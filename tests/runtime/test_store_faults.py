"""The store where the disk does not cooperate, and where several processes share it."""

from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from gendsl_runtime.problem import Problem
from gendsl_runtime.store import Entry, Store
from gendsl_runtime.store.place import store_place

LARGE = bytes(range(256)) * 1000


def entry(name: str, payload: bytes) -> Entry:
    recipe, action = (sha256(f"{name} {domain}".encode()).digest() for domain in ("recipe", "action"))
    return Entry(recipe, action, payload, kind="train", component="train", seconds=1.0)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 1 MB of its own."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    try:
        mounted = subprocess.run(command, capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount command")
    if mounted.returncode:
        pytest.skip(f"cannot mount a small disk: {mounted.stderr.decode().strip()}")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize("size", [90_000, 300_000])
def test_a_full_disk_is_told_and_leaves_no_half_result(small_disk: Path, size: int) -> None:
    kept: list[str] = []
    with Store.open(small_disk / ".gendsl") as store:
        with pytest.raises(Problem) as caught:
            for number in range(100):
                kept += store.commit([entry(str(number), bytes([number]) * size)])
        assert caught.value.code == "disk-full"
        assert caught.value.help
        assert 0 < len(kept) < 100
        keys = [entry(str(number), b"").recipe_key for number in range(100)]
        assert sorted(store.lookup(keys).values()) == sorted(kept)
        assert [store.read(digest)[:1] for digest in kept] == [bytes([n]) for n in range(len(kept))]
        assert list((small_disk / ".gendsl" / "tmp").glob("*")) == []
    with Store.open(small_disk / ".gendsl") as store:
        assert sorted(store.lookup(keys).values()) == sorted(kept)


def test_a_disk_without_any_room_is_told(small_disk: Path) -> None:
    (small_disk / "filler").write_bytes(b"\0" * (1 << 20))
    with pytest.raises(Problem) as caught:
        Store.open(small_disk / ".gendsl")
    assert caught.value.code == "disk-full"


def test_a_read_only_disk_can_be_read_and_says_so_when_written(small_disk: Path) -> None:
    place = small_disk / ".gendsl"
    with Store.open(place) as store:
        (digest,) = store.commit([entry("a", LARGE)])
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with Store.open(place) as store:
        assert store.lookup([entry("a", b"").recipe_key]) == {entry("a", b"").recipe_key: digest}
        assert store.read(digest) == LARGE
        for payload in (b"small", LARGE[::-1]):
            with pytest.raises(Problem) as caught:
                store.commit([entry("b", payload)])
            assert caught.value.code == "store-unwritable"
    with pytest.raises(Problem) as caught:
        Store.open(small_disk / "other")
    assert caught.value.code == "store-unwritable"


@pytest.mark.parametrize("failing", ["fsync", "fdopen", "replace"])
def test_running_out_of_space_at_any_step_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with Store.open(tmp_path / "store") as store:
        with monkeypatch.context() as patch:
            patch.setattr(Path if failing == "replace" else os, failing, full)
            with pytest.raises(Problem) as caught:
                store.commit([entry("a", LARGE), entry("b", b"small")])
        assert caught.value.code == "disk-full"
        assert store.lookup([entry("a", b"").recipe_key, entry("b", b"").recipe_key]) == {}
        assert list((tmp_path / "store" / "tmp").iterdir()) == []
        store.commit([entry("a", LARGE)])


def test_a_place_that_cannot_hold_a_store_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(Problem) as caught:
        Store.open(tmp_path / "file" / "store")
    assert caught.value.code == "store-unwritable"


WRITER = """
import sys
from hashlib import sha256
from pathlib import Path
from gendsl_runtime.store import Entry, Store

def key(text):
    return sha256(text.encode()).digest()

place, name = Path(sys.argv[1]), sys.argv[2]
with Store.open(place) as store:
    for n in range(20):
        shared = Entry(key(f"shared {n}"), key(f"s {n}"), b"%d" % n * 150_000, "train", "train", 1.0)
        own = Entry(key(f"{name} {n}"), key(f"own {name} {n}"), f"{name} {n}".encode(), "train", "train", 1.0)
        store.commit([shared, own])
        assert len(store.lookup([shared.recipe_key, own.recipe_key])) == 2
"""


def test_eight_processes_share_a_store(tmp_path: Path) -> None:
    runtime = Path(__file__).parents[2] / "runtime"
    environment = {**os.environ, "PYTHONPATH": str(runtime)}
    command = [sys.executable, "-c", WRITER, str(tmp_path / "store")]
    writers = [
        subprocess.Popen([*command, name], env=environment, stderr=subprocess.PIPE, text=True)
        for name in "abcdefgh"
    ]
    assert [(writer.communicate(timeout=100)[1], writer.returncode) for writer in writers] == [("", 0)] * 8
    with Store.open(tmp_path / "store") as store:
        names = [f"{name} {n}" for name in (*"abcdefgh", "shared") for n in range(20)]
        found = store.lookup(sha256(name.encode()).digest() for name in names)
        assert len(found) == 9 * 20
        assert all(store.read(digest) for digest in found.values())


def test_where_the_store_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GENDSL_STORE", raising=False)
    spec = tmp_path / "project" / "specs" / "deep" / "a.gen"
    spec.parent.mkdir(parents=True)
    (tmp_path / "project" / "pyproject.toml").touch()
    assert store_place(spec) == tmp_path / "project" / ".gendsl"
    (tmp_path / "project" / "specs" / ".git").mkdir()
    assert store_place(spec) == tmp_path / "project" / "specs" / ".gendsl"
    (tmp_path / "project" / ".gendsl").mkdir()
    assert store_place(spec) == tmp_path / "project" / ".gendsl"
    monkeypatch.chdir(spec.parent)
    assert store_place(Path("a.gen")) == tmp_path / "project" / ".gendsl"
    monkeypatch.setenv("GENDSL_STORE", str(tmp_path / "elsewhere"))
    assert store_place(spec) == tmp_path / "elsewhere"
    assert store_place(spec, tmp_path / "option") == tmp_path / "option"


def test_a_store_that_another_process_keeps_locked_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gendsl_runtime.store.index.BUSY_SECONDS", 0.1)
    with Store.open(tmp_path / "store") as store:
        (digest,) = store.commit([entry("a", b"small")])
        with closing(sqlite3.connect(tmp_path / "store" / "index.sqlite")) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(Problem) as caught:
                store.commit([entry("b", b"other")])
            assert caught.value.code == "store-busy" and caught.value.help
            assert store.read(digest) == b"small"
        assert len(store.commit([entry("b", b"other")])) == 1
