"""From reductions to tree nodes: one function a rule of the grammar, each given the parts of the rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from gendsl import tree
from gendsl.diagnostic import Diagnostic
from gendsl.parse.lex import FOREIGN
from gendsl.source import Source, Span
from gendsl.words import nearest

Parts = list[Any]
_ESCAPES = {"n": "\n", "t": "\t", '"': '"', "'": "'", "\\": "\\"}
_SIGNS = frozenset("(){}[],=")
_UNTIL = "`until decided` belongs to `seeds`"
LONGEST = 300
"""Digits of the longest number."""


class Builder:
    """Makes the nodes of one source; `diagnostics` collects what the grammar lets through."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.diagnostics: list[Diagnostic] = []

    def function(self, rule: str) -> Callable[[Parts], Any]:
        """The function for a rule (or alias) of the grammar."""
        found: Callable[[Parts], Any] = getattr(self, rule)
        return found

    def report(self, code: str, message: str, span: Span, *, note: str = "", help: str | None = None) -> None:
        self.diagnostics.append(Diagnostic(code, message, self.source, span, note, help=help))

    def file(self, parts: Parts) -> tuple[tree.Declaration, ...]:
        return tuple(parts)

    # --- declarations ---------------------------------------------------------------------------------------

    def captioned(self, parts: Parts) -> tree.Declaration:
        caption = self.doc(parts)
        declaration: tree.Declaration = parts[1]
        return declaration._replace(caption=caption)

    def import_(self, parts: Parts) -> tree.Import:
        return tree.Import(_all(parts), self.string(parts[1:2]), parts[3])

    def param(self, parts: Parts) -> tree.Param:
        kind = parts[3] if parts[2].id == ":" else None
        value = 5 if kind else 3
        domain = parts[value + 2] if len(parts) > value + 1 else None
        return tree.Param(_all(parts), parts[1], kind, parts[value], domain)

    def sweep(self, parts: Parts) -> tree.Sweep:
        return tree.Sweep(_all(parts), parts[1], parts[3])

    def axes(self, parts: Parts) -> tuple[tree.Name, ...]:
        return _values(parts)

    def seeds(self, parts: Parts) -> tree.Seeds:
        return tree.Seeds(_all(parts), parts[1])

    def claim(self, parts: Parts) -> tree.Claim:
        quantifiers = tuple(part for part in parts[4:] if type(part) is tree.Quantifier)
        has_level = type(parts[-2]) is tree.Name and parts[-2].id == "at"
        level = self.quantity(parts[-1:]) if has_level else None
        return tree.Claim(_all(parts), parts[1], parts[3], quantifiers, level)

    def quantifier(self, parts: Parts) -> tree.Quantifier:
        word = parts[1]
        if word.id not in ("all", "some"):
            close = nearest(word.id, ("all", "some"))
            self.report(
                "unknown-quantifier",
                f"`for {word.id}` says neither all nor some",
                word.span,
                help=f"did you mean `for {close}`?" if close else "write `for all` or `for some`",
            )
        return tree.Quantifier(_all(parts), word.id, _values(parts[2:]))

    def bind(self, parts: Parts) -> tree.Bind:
        kind = parts[0]
        return tree.Bind(_all(parts), kind.id, kind.span, parts[1], parts[3])

    def form(self, parts: Parts) -> tree.Form:
        kind = parts[0]
        base = parts[3] if parts[2].id == "extends" else None
        entries = tuple(part for part in parts if type(part) is tree.Entry)
        return tree.Form(_all(parts), kind.id, kind.span, parts[1], base, entries)

    def base(self, parts: Parts) -> tree.Expr:
        found: tree.Expr = parts[0]
        for key in parts[2::2]:
            found = tree.Dot(found.span.to(key.span), found, key)
        return found

    def entry(self, parts: Parts) -> tree.Entry:
        path, _, value = parts
        if type(value) is tree.Until and path[-1].id != "seeds":
            self.report(
                "unexpected", f"`{path[-1].id}` is no seeds: nothing goes on here", value.span, help=_UNTIL
            )
        return tree.Entry(Span(path[0].span.start, value[0][1]), path, value)

    def path(self, parts: Parts) -> tuple[tree.Name, ...]:
        return tuple(parts[::2])

    # --- expressions ----------------------------------------------------------------------------------------

    def where(self, parts: Parts) -> tree.Where:
        subject, _, condition = parts
        return tree.Where(Span(subject[0][0], condition[0][1]), subject, condition)

    def binary(self, parts: Parts) -> tree.Binary:
        left, op, right = parts
        right = left if self._is_caption(right, op, f"`{op.id}` has two sides") else right
        return tree.Binary(Span(left[0][0], right[0][1]), FOREIGN.get(op.id, op.id), op.span, left, right)

    def unary(self, parts: Parts) -> tree.Unary:
        op, operand = parts
        if self._is_caption(operand, op, f"`{op.id}` needs a value"):
            operand = tree.Number(op.span, 0)
        return tree.Unary(Span(op.span[0], operand[0][1]), FOREIGN.get(op.id, op.id), operand)

    def range_(self, parts: Parts) -> tree.Range:
        end = parts[0] if self._is_caption(parts[2], parts[1], "a range has an end") else parts[2]
        return tree.Range(_all(parts), parts[0], end, parts[4] if len(parts) > 3 else None)

    def until(self, parts: Parts) -> tree.Expr:
        values, _, word, *limit = parts
        wrong = next((w for w, m in zip((word, *limit[2:3]), ("decided", "most")) if w.id != m), None)
        if wrong is not None or not limit:
            seeds = self.source.text[values[0][0] : values[0][1]]
            self.report(
                "unexpected" if wrong else "missing-value",
                f"`{wrong.id}` cannot stand here" if wrong else "seeds that go on need a limit",
                wrong.span if wrong else word.span,
                help=f"write `{' '.join(seeds.split())} until decided, at most 80`",
            )
        if limit and self._is_caption(limit[-1], limit[-2], "a limit is a number of seeds"):
            limit = []
        return tree.Until(_all(parts), values, limit[-1]) if limit else cast(tree.Expr, values)

    def _is_caption(self, operand: tree.Expr, before: tree.Name, message: str) -> bool:
        """Whether an operand is a text of three quotes: it is missing, and this is the caption of what follows."""
        if not isinstance(operand, tree.Text) or not operand.doc:
            return False
        self.report("missing-value", message, before.span, note="nothing that could be it comes after this")
        return True

    def call(self, parts: Parts) -> tree.Call:
        return tree.Call(_all(parts), parts[0], parts[2])

    def dot(self, parts: Parts) -> tree.Dot:
        base, _, key = parts
        return tree.Dot(Span(base[0][0], key[0][1]), base, key)

    def list_(self, parts: Parts) -> tree.List:
        return tree.List(_all(parts), parts[1])

    def group(self, parts: Parts) -> tree.Group:
        return tree.Group(_all(parts), parts[1])

    def tuple_(self, parts: Parts) -> tree.Tuple:
        return tree.Tuple(_all(parts), (parts[1], *parts[3]))

    def items(self, parts: Parts) -> tuple[tree.Expr, ...]:
        return tuple(parts[::2])

    def arguments(self, parts: Parts) -> tuple[tree.Argument, ...]:
        return tuple(parts[::2])

    def argument(self, parts: Parts) -> tree.Argument:
        value = parts[-1]
        if len(parts) == 1:
            return tree.Argument(value[0], None, value)
        key = parts[0]
        return tree.Argument(Span(key[0][0], value[0][1]), key, value)

    def constant(self, parts: Parts) -> tree.Constant:
        word = parts[0].id.lower()
        return tree.Constant(parts[0].span, None if word == "none" else word == "true")

    def number(self, parts: Parts) -> tree.Number:
        token = parts[0]
        return tree.Number(token[0], self._value(token[1], token[0]))

    def quantity(self, parts: Parts) -> tree.Quantity:
        span, text = parts[0]
        unit = text.lstrip("0123456789_.")
        if unit[0] in "eE" and unit[1:2] in ("+", "-", *"0123456789"):
            unit = unit[1:].lstrip("+-0123456789")
        size = len(text) - len(unit)
        unit = unit.lstrip(" \t")
        return tree.Quantity(span, self._value(text[:size], span), unit, Span(span.end - len(unit), span.end))

    def _value(self, text: str, span: Span) -> int | float:
        plain = text.rstrip().replace("_", "")
        if len(plain) <= LONGEST:
            if plain.isdigit():
                return int(plain)
            value = float(plain)
            if value != float("inf"):
                return value
        self.report(
            "bad-number", "this number is too large", span, help="the largest number is about 1.8e308"
        )
        return 1

    def string(self, parts: Parts) -> tree.Text:
        span, text = parts[0]
        body = text[1:-1]
        if "\\" in body and text[0] == '"':
            body = self._unescaped(body, span.start + 1)
        return tree.Text(span, body, False)

    def _unescaped(self, body: str, start: int) -> str:
        pieces, at = [], 0
        while True:
            slash = body.find("\\", at)
            if slash < 0:
                pieces.append(body[at:])
                return "".join(pieces)
            pieces.append(body[at:slash])
            letter = body[slash + 1]
            if letter not in _ESCAPES:
                place = Span(start + slash, start + slash + 2)
                help = f"for a backslash, write two: `\\\\{letter}`" if letter.isprintable() else None
                self.report("bad-escape", f"`\\{letter}` means nothing in a text", place, help=help)
            pieces.append(_ESCAPES.get(letter, letter))
            at = slash + 2

    def doc(self, parts: Parts) -> tree.Text:
        span, text = parts[0]
        return tree.Text(span, dedented(text[3:-3]), True)


def dedented(text: str) -> str:
    """A three-quoted text without its common indentation and without blank lines at both ends."""
    lines = [line.rstrip() for line in text.expandtabs(4).splitlines()]
    if len(lines) < 2:
        return text.strip()
    margins = [len(line) - len(line.lstrip()) for line in lines[1:] if line]
    margin = min(margins, default=0)
    lines = [lines[0].lstrip(), *(line[margin:] for line in lines[1:])]
    while lines and not lines[0]:
        del lines[0]
    while lines and not lines[-1]:
        del lines[-1]
    return "\n".join(lines)


def _all(parts: Parts) -> Span:
    return Span(parts[0][0][0], parts[-1][0][1])


def _values(parts: Parts) -> tuple[Any, ...]:
    """The parts that are not signs."""
    return tuple(part for part in parts if type(part) is not tree.Name or part.id not in _SIGNS)
