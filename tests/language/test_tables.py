"""The parser's tables and their cache."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gendsl.parse.tables import tables
from gendsl.places import cache_folder


@pytest.fixture(autouse=True)
def _fresh(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    tables.cache_clear()
    yield
    tables.cache_clear()


def test_made_once_then_read(monkeypatch):
    made = tables()
    folder = cache_folder()
    (kept,) = folder.glob("grammar-*.json")
    assert folder.stat().st_mode & 0o777 == 0o700
    tables.cache_clear()
    monkeypatch.setattr("gendsl.parse.tables._make", None)
    assert tables() == made
    assert kept.exists()


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"terminals": []}'])
def test_damaged_cache_is_made_anew(damage: str):
    made = tables()
    (kept,) = cache_folder().glob("grammar-*.json")
    kept.write_text(damage)
    tables.cache_clear()
    assert sorted(tables().rules) == sorted(made.rules)


def test_folder_of_somebody_else_is_not_used(monkeypatch):
    folder = cache_folder()
    folder.chmod(0o777)
    assert cache_folder() is None
    assert tables().rules
    assert not list(folder.iterdir())


def test_without_a_folder(monkeypatch, tmp_path: Path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert tables().rules


def test_a_parse_with_a_warm_cache_imports_no_lark():
    tables()
    code = (
        "import sys; from gendsl.parse import parse; from gendsl.source import Source;"
        "parse(Source('model a = f(1', 'x')); print({'lark', 'pydantic'} & set(sys.modules))"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=os.environ, check=True
    )
    assert found.stdout.strip() == "set()"
