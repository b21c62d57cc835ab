"""The bibliography: every paper that a component or a shipped spec names has an entry, each entry is whole."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

import pytest

from gendsl_runtime.components import catalogue
from gendsl_runtime.report.papers import FILE, papers, read

SPECS = Path(__file__).parents[2] / "specs"


@pytest.mark.parametrize(
    ("component", "key"),
    [
        (f"{kind} {name}", key)
        for (kind, name), found in catalogue().components.items()
        for key in found.paper
    ],
)
def test_papers_of_components_are_known(component: str, key: str) -> None:
    assert key in papers(), f"{component} names the paper `{key}`: add it to papers.bib"


def test_papers_of_shipped_specs_are_known() -> None:
    for path in SPECS.rglob("*.gen"):
        for key in re.findall(r'paper = "(\w+)"', path.read_text(encoding="utf-8")):
            assert key in papers(), path


@pytest.mark.parametrize("key", papers())
def test_entries_are_whole(key: str) -> None:
    paper = papers()[key]
    assert {"author", "title", "year"} <= paper.fields.keys()
    assert paper.venue
    assert paper.fields["year"] in key
    assert re.split(r"[, -]", _plain(paper.fields["author"]))[0] in key.lower()
    assert paper.text.count("{") == paper.text.count("}")
    assert "\\" not in paper.text
    assert not set("{}$") & set("".join(paper.fields.values()))


def _plain(text: str) -> str:
    """In small letters without accents."""
    return unicodedata.normalize("NFKD", text.lower()).encode("ascii", "ignore").decode()


def test_keys_are_unique_and_every_entry_is_read() -> None:
    keys = re.findall(r"^@\w+\{([^,]+),", FILE.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(keys) == len(set(keys))
    assert set(keys) == papers().keys()


def test_an_entry_is_printed_with_its_authors_venue_and_link() -> None:
    paper = papers()["belkin2019reconciling"]
    assert paper.authors[0] == "Mikhail Belkin"
    assert paper.short == "Belkin et al. 2019"
    assert paper.venue == "Proceedings of the National Academy of Sciences 116(32), 15849–15854"
    assert paper.link == "https://doi.org/10.1073/pnas.1903070116"


def test_a_strange_identifier_is_no_link() -> None:
    entry = '@misc{a2020b,\n  author = {A, B},\n  year = {2020},\n  doi = {x" onclick="y},\n}'
    assert read(entry)["a2020b"].link == ""
