"""Reading specs: the tree, its places, and recovery from what cannot be read."""

from __future__ import annotations

import logging
from pathlib import Path

import lark
import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from gendsl import tree
from gendsl.parse import MOST, parse, parse_expression
from gendsl.parse.lex import lex
from gendsl.parse.tables import tables
from gendsl.places import resource
from gendsl.source import Source, Span
from tests.language.specs_on_hand import ALL


def read(text: str):
    return parse(Source(text, "x.gen"))


def expression(text: str):
    found, diagnostics = parse_expression(Source(text, "x"))
    assert not diagnostics
    return found


def plain(node):
    """An expression as nested tuples without places."""
    if isinstance(node, tuple):
        parts = [plain(part) for part in node if not isinstance(part, Span)]
        return (type(node).__name__, *parts) if type(node) is not tuple else tuple(parts)
    return node


def lark_machine(**options) -> lark.Lark:
    grammar = resource("grammar", "gen.lark").read_text("utf-8")
    return lark.Lark(grammar, parser="lalr", lexer="basic", start=["file", "expr"], **options)


def test_grammar_has_no_conflicts(caplog):
    caplog.set_level(logging.DEBUG, logger="lark")
    lark.logger.setLevel(logging.DEBUG)
    lark_machine(debug=True)
    assert not [record for record in caplog.records if "onflict" in record.getMessage()]


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_tokens_are_those_of_lark(path: Path):
    text = path.read_text("utf-8")
    tokens = lex(text)
    ours = [(tables().terminals[kind], start) for kind, start in zip(tokens.kinds[:-1], tokens.starts)]
    assert ours == [(token.type, token.start_pos) for token in lark_machine().lex(text)]


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_every_spec_is_read_and_lark_agrees(path: Path):
    text = path.read_text("utf-8")
    file, diagnostics = read(text)
    assert not diagnostics
    assert len(lark_machine().parse(text, start="file").children) == len(file.declarations)


def spans(node):
    if isinstance(node, tuple) and not isinstance(node, Span):
        if type(node) is not tuple:
            yield node
        for part in node:
            yield from spans(part)


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_places_say_where_each_part_stands(path: Path):
    text = path.read_text("utf-8")
    for node in spans(read(text)[0].declarations):
        start, end = node.span
        assert 0 <= start < end <= len(text)
        assert text[start:end] == text[start:end].strip()
        if isinstance(node, tree.Name):
            assert text[start:end] == node.id
        if isinstance(node, tree.Quantity):
            assert text[node.unit_span.start : node.unit_span.end] == node.unit


def test_binding_strength():
    found = expression("a where b == 1 and not c in 1..9 by 2 or d")
    assert isinstance(found, tree.Where)
    assert found.condition.op == "or"
    assert found.condition.left.op == "and"
    assert isinstance(found.condition.left.right, tree.Unary)
    assert isinstance(found.condition.left.right.operand.right, tree.Range)
    product = expression("1 + 2 * 3 ** -x")
    assert (product.op, product.right.op, product.right.right.op) == ("+", "*", "**")
    assert expression("a - b - c").left.op == "-"


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [("300 epochs", 300, "epochs"), ("95%", 95, "%"), ("1_000.5e-1 s", 100.05, "s"), ("8GiB", 8, "GiB")],
)
def test_quantities(text: str, value: float, unit: str):
    found = expression(text)
    assert isinstance(found, tree.Quantity)
    assert (found.value, found.unit) == (value, unit)


@pytest.mark.parametrize("text", ["x < 3 and y", "[0..9 by 2]", "3 in a", "3 where a"])
def test_words_after_numbers_are_no_units(text: str):
    assert not [node for node in spans(expression(text)) if isinstance(node, tree.Quantity)]


def test_numbers():
    assert isinstance(expression("50_000").value, int)
    assert isinstance(expression("1e3").value, float)
    assert expression("1e-3").value == 1e-3


def test_words_of_the_language_are_fine_as_fields_splits_and_arguments():
    text = "train t { model = m dataset = d by = x.at seeds = 3 } let a = f(run, on=train, by=x, in=3, not=4)"
    file, diagnostics = read(text)
    assert not diagnostics
    assert [entry.path[0].id for entry in file.declarations[0].entries] == ["model", "dataset", "by", "seeds"]
    assert [a.key and a.key.id for a in file.declarations[1].value.arguments] == [
        None,
        "on",
        "by",
        "in",
        "not",
    ]


def test_texts():
    assert expression(r'"a \"b\" \\ \n"').value == 'a "b" \\ \n'
    assert expression('"""\n    One\n      two\n    """').value == "One\n  two"


def test_claims_and_captions():
    file, _ = read('"""Why."""\nclaim c: a < b for all [lr, batch] for some depth at 95%')
    (claim,) = file.declarations
    assert claim.caption.value == "Why."
    assert [(q.word, [axis.id for axis in q.axes]) for q in claim.quantifiers] == [
        ("all", ["lr", "batch"]),
        ("some", ["depth"]),
    ]
    assert (claim.level.value, claim.level.unit) == (95, "%")


def test_layout_carries_no_meaning():
    text = (
        "seeds 0..9 sweep width in [1, 2] model net = mlp(hidden=[width]) train t { model = net batch = 64 }"
    )
    one, _ = read(text)
    many, _ = read(text.replace(" ", "\n").replace("\n0..9", " 0..9"))
    assert plain(one) == plain(many)


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_each_token_deleted_is_one_diagnostic_near_the_place(path: Path):
    text = path.read_text("utf-8")
    tokens = lex(text)
    for start, end in zip(tokens.starts[:-1], tokens.ends):
        source = Source(text[:start] + text[end:], str(path))
        _, diagnostics = parse(source)
        assert len(diagnostics) <= 1, (source.position(start), text[start:end])
        for diagnostic in diagnostics:
            found, deleted = source.position(diagnostic.span.start).line, source.position(start).line
            assert abs(found - deleted) <= 1, (deleted, text[start:end], diagnostic.message)


GARBAGE = st.text(alphabet=st.sampled_from("abe019 _.,:;=+-*/%()[]{}<>!&|\"'#\n\t\\é漢\0$?"), max_size=60)


@given(path=st.sampled_from(ALL), place=st.floats(0, 1), width=st.integers(0, 40), garbage=GARBAGE)
@limits(max_examples=200, deadline=None)
def test_garbage_never_raises(path: Path, place: float, width: int, garbage: str):
    text = path.read_text("utf-8")
    at = int(place * len(text))
    file, diagnostics = read(text[:at] + garbage + text[at + width :])
    for diagnostic in diagnostics:
        assert 0 <= diagnostic.span.start <= diagnostic.span.end <= len(text) + len(garbage)
    assert file.declarations or diagnostics


@given(st.text(max_size=200))
@limits(max_examples=100, deadline=None)
def test_any_text_never_raises(text: str):
    read(text)
    parse_expression(Source(text, "x"))


@pytest.mark.parametrize("deep", ["[", "(", "f(", "{", "-", "not ", "1 + ", "a.", "x ** ", "f(a=", "[[], "])
@pytest.mark.parametrize("tail", ["", "1"])
def test_ten_thousand_levels(deep: str, tail: str):
    file, diagnostics = read(f"let x = {deep * 10_000}{tail}\n\nlet y = 3")
    assert len(diagnostics) == 1
    assert [declaration.name.id for declaration in file.declarations] == ["y"]
    assert "x" in file.broken


def test_a_hundred_levels_are_fine():
    assert not read("let x = " + "(" * 99 + "1" + ")" * 99)[1]


def test_broken_declarations_are_set_aside_one_by_one():
    file, diagnostics = read("model a = f(1\n\nmodel b = g()\n\nsweep (c, d) [1]\n\nseeds 0..3\n")
    assert [type(declaration).__name__ for declaration in file.declarations] == ["Bind", "Seeds"]
    assert len(diagnostics) == 2
    assert {"a", "c", "d"} <= file.broken
    assert "b" not in file.broken


def test_a_file_of_nothing_but_faults_stays_short():
    assert len(read("model = x\n" * 10_000)[1]) == MOST


def test_empty():
    assert read("") == (tree.File(()), [])
    assert read("# only a comment\n\n") == (tree.File(()), [])


def test_expressions_end():
    assert parse_expression(Source("1 2", "--set"))[0] is None
    assert parse_expression(Source("", "--set"))[0] is None
    assert parse_expression(Source("x = 3", "--set"))[1]
