"""`gendsl.toml`: found upwards, and nothing in it is ignored."""

from __future__ import annotations

from pathlib import Path

import pytest

from gendsl.diagnostic import DiagnosticError
from gendsl_runtime.settings import Settings, settings


def test_the_nearest_file_counts(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    assert settings(tmp_path / "x.gen") == Settings()
    top = tmp_path / "gendsl.toml"
    top.write_text('allow_python = true\nstore = "kept"\n')
    assert settings(inner / "x.gen") == Settings(True, tmp_path / "kept", top)
    (tmp_path / "a" / "gendsl.toml").write_text("")
    assert settings(inner / "x.gen") == Settings(file=tmp_path / "a" / "gendsl.toml")


@pytest.mark.parametrize(
    ("text", "message", "at"),
    [
        ("allow-python = true", "there is no setting `allow-python`", "allow-python"),
        ("[allow_python]\nx = 1", "`allow_python` takes true or false", "allow_python"),
        ("\nallow_python = 'yes'", "`allow_python` takes true or false", "allow_python"),
        ("store = ''", "`store` takes text in quotes", "store"),
        ('store = "a\\u0000b"', "`store` takes text in quotes", "store"),
        ("store = '~no-such-user/x'", "is in the home of nobody here", "store"),
        ("store = 3", "`store` takes text in quotes", "store"),
        ("workers = 3", "there is no setting `workers`", "workers"),
        ("ok = = 2", "this is not TOML", "ok = = 2"),
        ("store = 'a'\nstore = 'b'", "this is not TOML", None),
    ],
)
def test_what_is_wrong_is_said_at_its_place(tmp_path: Path, text: str, message: str, at: str | None) -> None:
    (tmp_path / "gendsl.toml").write_text(text)
    with pytest.raises(DiagnosticError) as found:
        settings(tmp_path / "x.gen")
    (one,) = found.value.diagnostics
    assert one.code == "wrong-settings" and message in one.message
    if at is not None:
        assert one.source.text[one.span.start : one.span.end] == at
    assert "did you mean `allow_python`" in (one.help or "") or "allow-" not in text
