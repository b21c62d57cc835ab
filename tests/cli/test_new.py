"""`gen new`: a starter, or a copy of a shipped spec with all it imports; nothing that is there is written over."""

from __future__ import annotations

from pathlib import Path

import pytest

from gendsl.check import check
from gendsl.parse import parse
from gendsl.source import Source
from gendsl_runtime import shipped as module
from gendsl_runtime.cli import main
from gendsl_runtime.components import catalogue
from gendsl_runtime.shipped import Shipped, UnknownSpecError, named, shipped

SHIPPED = shipped()


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def files(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text("utf-8") for path in folder.iterdir() if path.is_file()}


@pytest.mark.parametrize("spec", SHIPPED, ids=lambda spec: spec.name)
def test_a_copy_of_each_is_right_by_itself(spec: Shipped, here: Path) -> None:
    assert main(["new", "mine", "--from", spec.name]) == 0
    source = Source.read("mine.gen")
    file, faults = parse(source)
    found = check(source, file, catalogue())
    assert not [fault for fault in (*faults, *found.diagnostics) if fault.severity == "error"]
    assert found.spec is not None
    assert (found.spec.name, found.spec.title) == ("mine", spec.title)
    assert {path.name for path in here.iterdir()} == {"mine.gen", *(one.name for one in spec.companions())}
    assert not [one for one in spec.companions() if ".." in one.parts], (
        "companions lie below the spec's folder"
    )


def test_by_the_name_of_the_file_without_another(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", "--from", "own_parts"]) == 0
    assert set(files(here)) == {"own_parts.gen", "own.py", "spirals.py"}
    assert "gen run own_parts.gen --allow-python" in capsys.readouterr().out


def test_nothing_is_written_over_and_nothing_is_left_half(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "spirals.py").write_text("mine")
    assert main(["new", "own_parts", "--from", "own_parts"]) == 2
    assert files(here) == {"spirals.py": "mine"}
    assert "spirals.py is already there" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (["--from", "flat_minma"], "did you mean `flat_minima`?"),
        (["--from", "minima/flat_minimas"], "did you mean `flat_minima`?"),
        (["--from", "zzz"], "there are: quickstart"),
        ([], "takes the NAME"),
        (
            ["sweep", "--from", "quickstart"],
            "`sweep` is a word of the language; add something to it: my_sweep",
        ),
        (["None"], "`None` is a word of the language"),
        (["True"], "`True` is a word of the language"),
        (["1st"], "no digit first"),
        (["a b"], "cannot be a name"),
        (["../.."], "cannot be a name"),
        (["mine", "--from", ""], "no spec called ``"),
        (["mine", "--from", "../quickstart"], "did you mean `quickstart`?"),
        (["mine", "--from", "minima/prefix_sums"], "did you mean `thinking/prefix_sums`?"),
        (["nowhere/mine"], "cannot be written"),
        (["first", "--list"], "goes alone"),
    ],
)
def test_wrong_command_lines(
    wrong: list[str], told: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["new", *wrong]) == 2
    assert told in capsys.readouterr().err
    assert files(here) == {}


def test_names_of_files_go_before_those_of_the_catalogue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = 'experiment {} {{\n    title = "T"\n    catalogue = "{}"\n}}\n'
    for name, entry in {"a/one": "two", "b/two": "three", "c/two": "four"}.items():
        path = tmp_path / f"{name}.gen"
        path.parent.mkdir()
        path.write_text(text.format(path.stem, entry))
    monkeypatch.setattr(module, "resource", lambda *parts: tmp_path)
    assert named("three").name == "b/two"
    assert named("a/one").name == named("one").name == "a/one"
    with pytest.raises(UnknownSpecError, match="b/two, c/two"):
        named("two")


def test_the_list_names_every_spec_with_its_title(capsys: pytest.CaptureFixture[str], monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "140")
    assert main(["new", "--list"]) == 0
    told = capsys.readouterr().out
    assert all(f"  {spec.short} " in told and spec.title in told for spec in SHIPPED)


def test_a_copy_that_is_called_like_what_it_imports(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`own.gen` beside `own.py`: two files, and each is what it was."""
    assert main(["new", "own", "--from", "own_parts"]) == 0
    assert set(files(here)) == {"own.gen", "own.py", "spirals.py"}
    assert files(here)["own.gen"].startswith("experiment own {")
