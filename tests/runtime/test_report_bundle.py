"""The script of pages is made once a version, and a kept one that is damaged is made anew."""

from __future__ import annotations

from pathlib import Path

import pytest
import vl_convert

from gendsl_runtime.report.bundle import libraries


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was asked of vl-convert, with an empty cache."""
    asked: list[str] = []

    def bundle(snippet: str) -> str:
        asked.append(snippet)
        return f"{snippet} // {len(asked)}"

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(vl_convert, "javascript_bundle", bundle)
    return asked


def fresh() -> str:
    """The script as another process gets it."""
    libraries.cache_clear()
    return libraries()


@pytest.fixture(autouse=True)
def forgotten():
    yield
    libraries.cache_clear()


def test_it_is_made_once(made: list[str], tmp_path: Path) -> None:
    assert [fresh(), fresh()] == ["window.vegaEmbed = vegaEmbed; // 1"] * 2
    (kept,) = (tmp_path / "gendsl").glob("vega-*.js")
    kept.write_bytes(kept.read_bytes()[:-1])
    assert fresh().endswith("// 2"), "half a file is none"
    assert fresh().endswith("// 2")


def test_no_cache_is_no_fault(made: list[str], tmp_path: Path) -> None:
    (tmp_path / "gendsl").mkdir()
    (tmp_path / "gendsl").chmod(0o777)  # others could write there
    assert [fresh(), fresh()] == ["window.vegaEmbed = vegaEmbed; // 1", "window.vegaEmbed = vegaEmbed; // 2"]


def test_a_bundle_that_would_end_its_element_is_refused(made: list[str], monkeypatch) -> None:
    monkeypatch.setattr(vl_convert, "javascript_bundle", lambda snippet: "</script>")
    with pytest.raises(ValueError, match="script element"):
        fresh()
