"""The page of the shipped experiments has each of them, with every claim it makes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gendsl.parse import parse
from gendsl.source import Source
from gendsl.tree import Claim

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "experiments.md").read_text("utf-8")
SPECS = {
    str(path.relative_to(ROOT / "specs").with_suffix("")): path
    for path in sorted((ROOT / "specs").rglob("*.gen"))
}
UNWRITTEN = "To be filled in."
"""Stands where a spec has no verdicts yet."""


def section(name: str) -> str:
    found = re.search(rf"^## {re.escape(name)}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None, f"docs/experiments.md has no section `## {name}`"
    return found[1]


@pytest.mark.parametrize("name", SPECS)
def test_each_spec_is_on_the_page_with_its_command_and_all_its_claims(name: str) -> None:
    text = section(name)
    assert f"`gen run specs/{name}.gen" in text
    assert f"| [{name}](#{name.replace('/', '')}) |" in PAGE, "in the table on top as well"
    if UNWRITTEN in text:
        return
    file, faults = parse(Source(SPECS[name].read_text("utf-8"), name))
    assert not faults
    claims = [one.name.id for one in file.declarations if isinstance(one, Claim)]
    assert re.findall(r"^\| `(\w+)`", text, re.MULTILINE) == claims, "in the order of the file"
