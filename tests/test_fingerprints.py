"""Versions of built-in components are raised when their code changes, or their results are said to stay the same."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from docs import make_fingerprints as made


@pytest.mark.skipif(not made.FILE.exists(), reason="fingerprints are not committed yet")
def test_no_component_changes_behind_its_version() -> None:
    before, after = made.committed(), made.now()
    assert made.unexplained(before, after) == []
    assert {name: known["version"] for name, known in before.items()} == {
        name: known["version"] for name, known in after.items()
    }, "run `make fingerprints`"


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the engine to edit, where fingerprints are made from."""
    shutil.copytree(
        made.RUNTIME / made.PACKAGE, tmp_path / made.PACKAGE, ignore=shutil.ignore_patterns("__pycache__")
    )
    monkeypatch.setattr(made, "RUNTIME", tmp_path)
    return tmp_path / made.PACKAGE


def edited(file: Path, old: str, new: str) -> set[str]:
    """The components that an edit of a file changes."""
    before = made.now()
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), "utf-8")
    after = made.now()
    file.write_text(text, "utf-8")
    return {name for name in after if before[name] != after[name]}


def test_a_comment_a_docstring_or_the_engine_changes_none(copied: Path) -> None:
    body = "    return"
    assert edited(copied / "losses" / "hinge.py", body, f"    # a comment\n{body}") == set()
    assert edited(copied / "train" / "loop.py", "def ", "def unused() -> None: ...\n\n\ndef ") == set()


def test_a_changed_helper_changes_those_that_reach_it_alone(copied: Path) -> None:
    ranks = copied / "measures" / "lanczos.py"
    changed = edited(ranks, "\ndef ", "\nEXTRA = 1\n\n\ndef ")
    assert changed == set()  # nobody reaches it
    source = ranks.read_text("utf-8")
    body = source.index("    return ")
    changed = edited(ranks, source[body : body + 20], f"    print(1)\n{source[body : body + 20]}")
    assert "analysis/hessian_top" in changed
    assert not any(name.startswith(("dataset/", "optimizer/", "loss/")) for name in changed)


def test_what_changed_must_be_explained() -> None:
    def known(version: int, digest: str) -> dict[str, made.Known]:
        return {"loss/x": made.Known(version=version, fingerprint=digest, same=[])}

    with pytest.raises(ValueError, match="loss/x"):
        made.updated(known(1, "a"), known(1, "b"), [])
    assert made.updated(known(1, "a"), known(1, "b"), ["loss/x"])["loss/x"]["same"] == ["a"]
    assert made.updated(known(1, "a"), known(1, "b"), ["all"])["loss/x"]["same"] == ["a"]
    assert made.updated(known(1, "a"), known(2, "b"), [])["loss/x"]["same"] == []
    assert made.updated({}, known(1, "a"), []) == known(1, "a")
