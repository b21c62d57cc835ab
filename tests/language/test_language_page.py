"""The examples of `docs/language.md`, checked against the shipped components."""

from __future__ import annotations

import re
from pathlib import Path

from gendsl.check import Options, check
from gendsl.parse import parse
from gendsl.source import Source
from gendsl_runtime.components import catalogue

PAGE = Path(__file__).parents[2] / "docs/language.md"


def test_the_examples_of_the_meaning_are_one_right_file():
    meaning = PAGE.read_text("utf-8").split("\n## Meaning\n")[1]
    text = "\n".join(re.findall(r"```gen\n(.*?)```", meaning, re.DOTALL))
    source = Source(text, "language.gen")
    file, faults = parse(source)
    assert not faults
    for preset in (None, "smoke"):
        found = check(source, file, catalogue(), Options(preset=preset))
        assert not found.diagnostics, [d.message for d in found.diagnostics]
