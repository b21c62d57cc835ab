"""Examples in pages are right, and pages that are made from something say what it says now."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from docs.make_reference import FOLDER, pages
from gendsl.check import Options, check
from gendsl.parse import parse
from gendsl.source import Source
from gendsl_runtime.components import catalogue

ROOT = Path(__file__).parents[1]
DECISIONS = ROOT / "docs" / "decisions"


def examples(text: str) -> Source:
    """The specs that stand in a page, as one file."""
    return Source("\n".join(re.findall(r"```gen\n(.*?)```", text, re.DOTALL)), "page.gen")


@pytest.mark.parametrize("preset", [None, "smoke"])
def test_the_examples_of_the_language_page_are_one_right_file(preset):
    meaning = (ROOT / "docs" / "language.md").read_text("utf-8").split("\n## Meaning\n")[1]
    source = examples(meaning)
    file, faults = parse(source)
    assert not faults
    found = check(source, file, catalogue(), Options(preset=preset)).diagnostics
    # The preset takes few seeds, to be quick.
    found = [d for d in found if preset is None or d.code not in ("few-seeds", "narrow-interval")]
    assert not found, [d.message for d in found]


def test_the_example_of_the_readme_is_right():
    source = examples((ROOT / "README.md").read_text("utf-8"))
    file, faults = parse(source)
    assert not faults
    found = check(source, file, catalogue()).diagnostics
    assert not found, [d.message for d in found]


def test_the_reference_is_current():
    assert {path.name for path in FOLDER.glob("*.md")} == set(pages())
    for name, text in pages().items():
        assert (FOLDER / name).read_text("utf-8") == text, f"docs/reference/{name}: run `make reference`"


def test_every_decision_is_in_the_index_under_its_own_number():
    index = (DECISIONS / "README.md").read_text("utf-8")
    listed = re.findall(r"^- \[(\d{3})\]\((\S+)\) (.+)$", index, re.MULTILINE)
    files = sorted(DECISIONS.glob("[0-9]*.md"))
    found = [(path.name[:3], path.name, path.read_text("utf-8").splitlines()[0]) for path in files]
    assert sorted((number, name, f"# {number} {title}") for number, name, title in listed) == found
    for section in index.split("\n## "):
        numbers = re.findall(r"^- \[(\d{3})\]", section, re.MULTILINE)
        assert numbers == sorted(numbers), section
    assert len({number for number, _, _ in found}) == len(found)


def test_the_engine_page_names_what_there_is():
    """Every file that it names exists; every folder and module of the engine's top is named."""
    engine = ROOT / "runtime" / "gendsl_runtime"
    named = set(re.findall(r"`([a-z_/]+(?:\.py|/))`", (ROOT / "docs" / "engine.md").read_text("utf-8")))
    assert [
        name for name in sorted(named) if not (engine / name).exists() and not (ROOT / name).exists()
    ] == []
    modules = {path.name for path in engine.glob("*.py")} - {"__init__.py"}
    folders = {f"{path.parent.name}/" for path in engine.glob("*/*.py")}
    assert modules | folders <= named
