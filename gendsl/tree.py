"""The syntax tree: what the user wrote, with the place of every part. Nothing is resolved here.

All nodes are immutable named tuples, `span` first, cheap to make by the hundred thousand.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from gendsl.source import Span

# --- expressions -----------------------------------------------------------------------------------------------


class Name(NamedTuple):
    span: Span
    id: str


class Number(NamedTuple):
    """`value` is an int where the text has neither point nor exponent."""

    span: Span
    value: int | float


class Quantity(NamedTuple):
    """A number with its unit as written: `300 epochs`, `95%`."""

    span: Span
    value: int | float
    unit: str
    unit_span: Span


class Text(NamedTuple):
    """A string; `doc` when written with three quotes (dedented, first and last line breaks removed)."""

    span: Span
    value: str
    doc: bool


class Constant(NamedTuple):
    """`true`, `false` or `none`."""

    span: Span
    value: bool | None


class List(NamedTuple):
    span: Span
    items: tuple[Expr, ...]


class Tuple(NamedTuple):
    span: Span
    items: tuple[Expr, ...]


class Argument(NamedTuple):
    """One argument of a call; `key` is None for a positional one."""

    span: Span
    key: Name | None
    value: Expr


class Call(NamedTuple):
    span: Span
    callee: Expr
    arguments: tuple[Argument, ...]


class Dot(NamedTuple):
    span: Span
    base: Expr
    key: Name


class Unary(NamedTuple):
    """`op` is `-` or `not`."""

    span: Span
    op: str
    operand: Expr


class Binary(NamedTuple):
    """`op` is one of `+ - * / **  and or  < <= == != >= >  in`; `op_span` is where the operator stands."""

    span: Span
    op: str
    op_span: Span
    left: Expr
    right: Expr


class Range(NamedTuple):
    """`low..high` or `low..high by step`; both ends belong to it."""

    span: Span
    low: Expr
    high: Expr
    step: Expr | None


class Until(NamedTuple):
    """`values until decided, at most most`: seeds that go on until every claim is decided."""

    span: Span
    values: Expr
    most: Expr


class Where(NamedTuple):
    span: Span
    subject: Expr
    condition: Expr


class Group(NamedTuple):
    """A parenthesised expression; kept so that `gen fmt` returns what was written."""

    span: Span
    inner: Expr


Expr: TypeAlias = (
    Name
    | Number
    | Quantity
    | Text
    | Constant
    | List
    | Tuple
    | Call
    | Dot
    | Unary
    | Binary
    | Range
    | Until
    | Where
    | Group
)

# --- declarations ----------------------------------------------------------------------------------------------


class Entry(NamedTuple):
    """`path = value` in a block; `optimizer.lr = 0.5` has two keys."""

    span: Span
    path: tuple[Name, ...]
    value: Expr


class Import(NamedTuple):
    span: Span
    path: Text
    name: Name
    caption: Text | None = None


class Param(NamedTuple):
    span: Span
    name: Name
    type: Name | None
    value: Expr
    domain: Expr | None
    caption: Text | None = None


class Sweep(NamedTuple):
    """`names` has more than one element for a tuple axis."""

    span: Span
    names: tuple[Name, ...]
    values: Expr
    caption: Text | None = None


class Seeds(NamedTuple):
    span: Span
    values: Expr
    caption: Text | None = None


class Quantifier(NamedTuple):
    """`for all` or `for some`, optionally with the axes meant (all that are left when none is named)."""

    span: Span
    word: str
    axes: tuple[Name, ...]


class Claim(NamedTuple):
    """`claim name: statement for some width at 95%`."""

    span: Span
    name: Name
    statement: Expr
    quantifiers: tuple[Quantifier, ...]
    level: Quantity | None
    caption: Text | None = None


class Bind(NamedTuple):
    """`kind name = value`."""

    span: Span
    kind: str
    kind_span: Span
    name: Name
    value: Expr
    caption: Text | None = None


class Form(NamedTuple):
    """`kind name { entries }`, or `kind name extends base { changes }`; `base` is a Name or a Dot."""

    span: Span
    kind: str
    kind_span: Span
    name: Name
    base: Expr | None
    entries: tuple[Entry, ...]
    caption: Text | None = None


Declaration: TypeAlias = Import | Param | Sweep | Seeds | Claim | Bind | Form


class File(NamedTuple):
    """The declarations that could be read, in file order."""

    declarations: tuple[Declaration, ...]
    broken: frozenset[str] = frozenset()
    """Names of declarations that had a syntax error: whatever mentions them is not reported again."""
