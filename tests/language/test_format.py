"""`gen fmt`: one layout, nothing lost, nothing changed the second time."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from gendsl.diagnostic import DiagnosticError
from gendsl.format import format
from gendsl.parse import parse
from gendsl.parse.lex import lex
from gendsl.source import Source
from tests.language.specs_on_hand import ALL


def formatted(text: str) -> str:
    return format(Source(text, "x.gen"))


def words(text: str) -> list[str]:
    """The tokens, without trailing commas and spaces inside quantities."""
    tokens = lex(text)
    found = ["".join(tokens.word(at).split()) for at in range(len(tokens.kinds))]
    return [word for word, after in zip(found, [*found[1:], ""]) if not (word == "," and after in ")]")]


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_shipped_specs_keep_their_tokens_and_settle(path: Path):
    text = path.read_text("utf-8")
    once = formatted(text)
    assert words(once) == words(text)
    assert formatted(once) == once


GAP = st.sampled_from(
    [" ", " ", " ", " ", "\n", "\n\n\n", "  # note\n", "\n# alone\n", "\n\n  # one\n # two\n\n", "\t"]
)


@given(data=st.data(), path=st.sampled_from(ALL))
@limits(max_examples=150, deadline=None)
def test_any_layout_with_comments_anywhere(data: st.DataObject, path: Path):
    text = path.read_text("utf-8")
    tokens = lex(text)
    first = data.draw(st.integers(0, len(tokens.kinds) - 1))
    many = data.draw(st.integers(1, 25))
    gaps = data.draw(st.lists(GAP, min_size=many, max_size=many))
    pieces, end = [], 0
    for at, start in enumerate(tokens.starts):
        is_by = at > 0 and tokens.word(at - 1) == "by"
        changed = first <= at < first + many and not is_by
        pieces += [gaps[at - first] if changed else text[end:start] or "", tokens.word(at)]
        end = tokens.ends[at]
    garbled = "".join(pieces)
    if parse(Source(garbled, "x.gen"))[1]:
        return  # A gap went missing between two words.
    once = formatted(garbled)
    assert words(once) == words(garbled)
    for note in ("# note", "# alone", "# one", "# two"):
        assert once.count(note) == garbled.count(note)
    assert formatted(once) == once


def test_long_claims_break_before_operators():
    long = "mean(gap.error where run == clean_and_long_named and width == 64)"
    found = formatted(f"claim c: {long} - {long} > 10% at 95%")
    assert found == f"claim c:\n    {long}\n        - {long}\n        > 10% at 95%\n"


def test_long_calls_take_one_argument_a_line():
    found = formatted("model n = mlp(" + ", ".join(f"argument_{i}={i}" for i in range(9)) + ")")
    assert found.splitlines()[1] == "    argument_0=0,"
    assert found.splitlines()[-1] == ")"


def test_texts_keep_their_value():
    text = 'experiment e { about = """One\n      two\n         three\n\n  four""" }'
    (before,), _ = parse(Source(text, "x"))[0].declarations, None
    (after,) = parse(Source(formatted(text), "x"))[0].declarations
    assert before.entries[0].value.value == after.entries[0].value.value


def test_small_things():
    assert formatted("") == ""
    assert formatted("\n\n# only a comment") == "# only a comment\n"
    assert formatted("let  x=3   epochs\nlet y = 20%") == "let x = 3 epochs\nlet y = 20%\n"
    assert formatted("train t{}") == "train t {}\n"
    assert formatted("let a = -x**2  let b = not  f( )") == "let a = -x ** 2\nlet b = not f()\n"


def test_syntax_errors_leave_the_text_alone():
    with pytest.raises(DiagnosticError):
        formatted("model = mlp()")
