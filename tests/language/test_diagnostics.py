"""Diagnostics for people and for machines, files that cannot be read, and words."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gendsl.diagnostic import Diagnostic, DiagnosticError, Label
from gendsl.explain import CODES
from gendsl.highlight import tokens
from gendsl.parse import parse
from gendsl.render import WIDTH, len_shown, render
from gendsl.sarif import to_json, to_sarif
from gendsl.source import LARGEST, Source, Span
from gendsl.words import DECLARING, nearest
from tests.language.specs_on_hand import ALL, ROOT

SPEC = Source("model net = mlp()\ntrain fit {\n    budget = 300 epchs\n}\n", "fit.gen")


def wrong(**changes) -> Diagnostic:
    place = SPEC.text.index("epchs")
    facts = {"note": "not a unit of time", "help": "did you mean `epochs`?", **changes}
    return Diagnostic("wrong-unit", "`budget` is a length", SPEC, Span(place, place + 5), **facts)


def test_one_diagnostic():
    assert render([wrong()], color=False) == (
        "error[wrong-unit]: `budget` is a length\n"
        " --> fit.gen:3:18\n"
        "  |\n"
        "3 |     budget = 300 epchs\n"
        "  |                  ^^^^^ not a unit of time\n"
        "  |\n"
        "  = help: did you mean `epochs`?\n"
        "\n"
        "1 error\n"
    )


def test_labels_here_and_in_another_file():
    other = Source("param length = 3\n", "common.gen")
    labels = (Label(Span(6, 9), "this model"), Label(Span(6, 12), "declared here", other))
    found = render([wrong(labels=labels)], color=False)
    assert "1 | model net = mlp()\n  |       --- this model\n...\n3 |" in found
    assert " ::: common.gen:1:7\n  |\n1 | param length = 3\n  |       ------ declared here\n" in found


def test_order_and_count():
    later = Diagnostic("wrong-kind", "second", SPEC, Span(30, 31), severity="warning")
    first = Diagnostic("wrong-kind", "first", SPEC, Span(0, 5))
    found = render([later, wrong(), first], color=False)
    assert found.index("first") < found.index("second") < found.index("is a length")
    assert found.endswith("2 errors, 1 warning\n")
    assert "warning[wrong-kind]: second" in found


def test_color_only_when_told():
    assert "\033" not in render([wrong()], color=False)
    colored = render([wrong()], color=True)
    assert re.sub(r"\033\[[0-9;]*m", "", colored) == render([wrong()], color=False)


@given(st.text(max_size=300), st.integers(0, 300), st.integers(0, 50))
def test_any_place_can_be_shown(text: str, start: int, length: int):
    start = min(start, len(text))
    place = Span(start, min(len(text), start + length))
    found = render([Diagnostic("x", "message", Source(text, "x.gen"), place)], color=False)
    assert all(len_shown(line) <= WIDTH + 10 for line in found.split("\n") if " | " in line)


def test_wide_letters_tabs_and_long_lines():
    text = "\t深い = " + "x" * 500 + " wrong"
    place = Span(len(text) - 5, len(text))
    found = render([Diagnostic("x", "message", Source(text, "x.gen"), place)], color=False).split("\n")
    excerpt, underline = found[3], found[4]
    assert len(excerpt) <= WIDTH + 5
    assert excerpt[underline.index("^") :].startswith("wrong")
    assert underline.endswith("^" * 5)


def test_json():
    record = json.loads(to_json([wrong()]))["diagnostics"][0]
    assert (record["path"], record["line"], record["column"], record["end_column"]) == ("fit.gen", 3, 18, 23)
    assert (record["code"], record["severity"]) == ("wrong-unit", "error")


def test_sarif():
    _, found = parse(Source("model = mlp()\nseeds = 0..3\n", "a b.gen"))
    log = json.loads(to_sarif(found))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    result = run["results"][0]
    assert result["ruleId"] == run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"]
    location = result["locations"][0]["physicalLocation"]
    assert location["artifactLocation"]["uri"] == "a%20b.gen"
    assert location["region"] == {"startLine": 1, "startColumn": 6, "endLine": 1, "endColumn": 6}


# --- files --------------------------------------------------------------------------------------------------


def refused(path: Path) -> Diagnostic:
    with pytest.raises(DiagnosticError) as caught:
        Source.read(path)
    (diagnostic,) = caught.value.diagnostics
    assert render([diagnostic], color=False)
    return diagnostic


def test_byte_order_mark_and_line_ends(tmp_path: Path):
    path = tmp_path / "x.gen"
    path.write_bytes(b"\xef\xbb\xbfseeds 0..1\r\nseeds 0..2\r\n")
    assert Source.read(path).text == "seeds 0..1\nseeds 0..2\n"


def test_missing_file_names_the_nearest(tmp_path: Path):
    (tmp_path / "minima.gen").write_text("")
    assert "minima.gen" in (refused(tmp_path / "mimina.gen").help or "")
    assert "minima.gen" in (refused(tmp_path / "minima").help or "")
    assert refused(tmp_path / "nowhere" / "x.gen").code == "missing-file"


def test_what_is_no_text(tmp_path: Path):
    path = tmp_path / "x.gen"
    path.write_bytes(b"seeds 0..1\nmodel \xff")
    assert "line 2, column 7" in refused(path).message
    path.write_bytes(os.urandom(100) + b"\0")
    assert refused(path).code == "not-text"
    with path.open("wb") as file:
        file.truncate(LARGEST + 1)
    assert refused(path).code == "too-large"
    assert refused(tmp_path).code == "unreadable-file"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_unreadable_file(tmp_path: Path):
    path = tmp_path / "x.gen"
    path.write_text("")
    path.chmod(0)
    assert refused(path).code == "unreadable-file"


# --- explanations, words, colours ---------------------------------------------------------------------------


def used_codes() -> set[str]:
    """Codes in `Diagnostic("...")`, `Problem("...")` and calls of functions that make them."""
    makers = r"\b_?(?:Diagnostic|Problem|Broken|fault|report|fail|refuse|warn)"
    pattern = re.compile(makers + r'\(\s*(?:\w+,\s*|code=)?"([a-z]+(?:-[a-z]+)*)",')
    sources = [*(ROOT / "gendsl").rglob("*.py"), *(ROOT / "runtime").rglob("*.py")]
    return {code for path in sources for code in pattern.findall(path.read_text("utf-8"))}


def test_every_code_is_explained():
    assert not used_codes() - set(CODES)


def test_right_examples_are_right_and_wrong_ones_wrong():
    mine = ["bad-escape", "bad-number", "foreign-sign", "illegal-character", "missing-name", "missing-sign"]
    mine += ["missing-value", "reserved-word", "unclosed-bracket", "unclosed-text", "unexpected"]
    for code in [*mine, "unknown-declaration", "unknown-quantifier"]:
        wrong_one, right_one = re.findall(r"```gen\n(.*?)\n```", CODES[code], re.DOTALL)
        found = {diagnostic.code for diagnostic in parse(Source(wrong_one, "x"))[1]}
        assert code in found
        assert not parse(Source(right_one, "x"))[1]


def test_unknown_code():
    with pytest.raises(KeyError):
        CODES["../../secret"]


def test_nearest():
    assert nearest("modle", DECLARING) == "model"
    assert nearest("batchsize", ["batch_size", "batch"]) == "batch_size"
    assert nearest("acc", ["accuracy", "loss"]) == "accuracy"
    assert nearest("foo", DECLARING) is None
    assert nearest("x", ["y"]) is None


@given(st.text(max_size=8), st.lists(st.text(max_size=8)))
def test_nearest_is_one_of_them(word: str, candidates: list[str]):
    assert nearest(word, candidates) in [*candidates, None]


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_highlighting_covers_everything_but_space(path: Path):
    source = Source(path.read_text("utf-8"), "x")
    places = tokens(source)
    end = 0
    for span, _ in places:
        assert not source.text[end : span.start].strip()
        end = span.end
    kinds = {source.text[span.start : span.end]: kind for span, kind in places}
    assert kinds["experiment" if "experiment" in kinds else "seeds"] == "keyword"
    assert "keyword" not in {kind for span, kind in places if source.text[span.end : span.end + 2] == " ="}
