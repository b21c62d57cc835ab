"""What every component file has: one component, a documentation and a test of its own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gendsl.catalogue.description import Description
from gendsl_runtime import components

CATALOGUE = components.catalogue()
ENGINE = Path(components.__file__).parent


def everything() -> list[Description]:
    return list(CATALOGUE.components.values())


def test_every_file_is_a_component():
    assert CATALOGUE.faults == ()
    for kind, folder in components.FOLDERS.items():
        if kind == "train":
            continue
        files = sorted(path.stem for path in (ENGINE / folder).rglob("*.py") if path.stem != "__init__")
        assert files == CATALOGUE.names(kind), f"every file in {folder} is one {kind}"


@pytest.mark.parametrize("known", everything(), ids=lambda known: f"{known.kind} {known.name}")
def test_it_is_documented(known):
    assert known.summary.endswith("."), "the first paragraph is a sentence"
    for name, parameter in known.parameters.items():
        is_subject = parameter.positional and parameter.type.name in ("Runs", "Groups", "Dataset")
        told = rf"\b({name}|{parameter.python})(,[^:]*)?:"
        assert is_subject or re.search(told, known.body), f"`{name}` is not explained"
    papers = (ENGINE / "papers.bib").read_text("utf-8")
    for key in known.paper:
        assert f"{{{key}," in papers, f"{key} is not in papers.bib"


@pytest.mark.parametrize("known", everything(), ids=lambda known: f"{known.kind} {known.name}")
def test_it_has_a_test_of_its_own(known):
    if known.kind == "train":
        pytest.skip("the training form is tested in tests/runtime")
    folders = {known.kind, components.FOLDERS[known.kind]}
    stems = {f"test_{known.name}", f"test_{known.name}_{known.kind}", f"test_{known.kind}_{known.name}"}
    found = [
        path
        for folder in folders
        for path in (Path(__file__).parent / folder).rglob("test_*.py")
        if path.stem in stems
    ]
    assert found, f"write tests/components/{components.FOLDERS[known.kind]}/test_{known.name}.py"
