"""Pages that are made from something say what it says now."""

from __future__ import annotations

import re
from pathlib import Path

from docs.make_reference import FOLDER, pages

DECISIONS = Path(__file__).parents[1] / "docs" / "decisions"


def test_the_reference_is_current():
    assert {path.name for path in FOLDER.glob("*.md")} == set(pages())
    for name, text in pages().items():
        assert (FOLDER / name).read_text("utf-8") == text, f"docs/reference/{name}: run `make reference`"


def test_every_decision_is_in_the_index_under_its_own_number():
    index = (DECISIONS / "README.md").read_text("utf-8")
    listed = re.findall(r"^- \[(\d{3})\]\((\S+)\) (.+)$", index, re.MULTILINE)
    files = sorted(DECISIONS.glob("[0-9]*.md"))
    found = [(path.name[:3], path.name, path.read_text("utf-8").splitlines()[0]) for path in files]
    assert [(number, name, f"# {number} {title}") for number, name, title in listed] == found
    assert len({number for number, _, _ in found}) == len(found)
