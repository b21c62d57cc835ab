"""The one layout of a spec.

Everything is written in the order of the tokens, so that no token and no comment can get lost: a cursor walks
along them while the tree says where a line may break.
"""

from __future__ import annotations

from typing import NamedTuple

from gendsl import tree
from gendsl.diagnostic import DiagnosticError
from gendsl.format.layout import (
    BLANK,
    HARD,
    INDENT,
    SOFT,
    SPACE,
    Broken,
    Comment,
    Doc,
    Indent,
    group,
    printed,
)
from gendsl.parse import parse
from gendsl.parse.build import dedented
from gendsl.parse.lex import Tokens, lex
from gendsl.source import Source

_LOOSE = frozenset(("and", "or", "<", "<=", "==", "!=", ">=", ">", "in", "+", "-"))
"""Operators before which a long expression breaks."""


def format(source: Source) -> str:
    """The text of `source` in the one layout, every comment kept; formatting the result changes nothing.

    Raises DiagnosticError where the text cannot be read.
    """
    file, diagnostics = parse(source)
    if any(diagnostic.severity == "error" for diagnostic in diagnostics):
        raise DiagnosticError(*diagnostics)
    return _Writer(source.text).file(file)


class _Gap(NamedTuple):
    """What stands between two tokens."""

    trailing: str | None
    """A comment on the line of the token before."""
    lines: tuple[tuple[bool, str], ...]
    """Comments on lines of their own, and whether a blank line comes before."""
    blank: bool
    """Whether a blank line comes before the token after."""


def _gap(text: str) -> _Gap:
    first, *rest = text.split("\n")
    if not rest:
        return _Gap(first.strip() or None, (), False)
    lines: list[tuple[bool, str]] = []
    blank = False
    for line in rest[:-1]:
        stripped = line.strip()
        if stripped:
            lines.append((blank, stripped))
        blank = not stripped
    last = rest[-1].strip()
    if last:  # Only at the end of the file.
        lines.append((blank, last))
    return _Gap(first.strip() or None, tuple(lines), blank)


class _Writer:
    """Writes declarations as documents; `at` is the number of the next token."""

    def __init__(self, text: str) -> None:
        tokens: Tokens = lex(text)
        self.tokens = tokens
        self.words = [text[start:end] for start, end in zip(tokens.starts, tokens.ends)]
        edges = [0, *tokens.ends[:-1]]
        self.gaps = [_gap(text[end:start]) for end, start in zip(edges, tokens.starts)]
        if self.gaps[0].trailing:
            first = self.gaps[0]
            self.gaps[0] = _Gap(None, ((False, str(first.trailing)), *first.lines), first.blank)
        self.at = 0

    # --- tokens and comments --------------------------------------------------------------------------------

    def next(self) -> str:
        return self.words[self.at]

    def token(self, shown: str | None = None) -> Doc:
        """The next token, with comments that stand in no place of their own at the end of its line."""
        before, word = self.gaps[self.at].lines, self.words[self.at]
        self.at += 1
        trailing = self.gaps[self.at].trailing
        self.gaps[self.at - 1] = self.gaps[self.at - 1]._replace(lines=())
        doc: list[Doc] = [Comment(comment) for _, comment in before]
        doc.append(word if shown is None else shown)
        return [*doc, Comment(trailing)] if trailing else doc

    def lines(self, *, is_first: bool = False) -> list[Doc]:
        """Comments before the next token on lines of their own, and the break before them and it."""
        gap = self.gaps[self.at]
        self.gaps[self.at] = gap._replace(lines=())
        docs: list[Doc] = []
        for blank, comment in gap.lines:
            docs += [BLANK if blank and not is_first else HARD, comment]
            is_first = False
        return [*docs, BLANK if gap.blank and not is_first else HARD]

    # --- declarations ---------------------------------------------------------------------------------------

    def file(self, file: tree.File) -> str:
        docs: list[Doc] = []
        for number, declaration in enumerate(file.declarations):
            docs += self.lines(is_first=number == 0)
            if declaration.caption is not None:
                docs += [self.text(0), *self.lines(is_first=True)]
            docs.append(self.declaration(declaration))
        docs += self.lines(is_first=not docs)
        text = printed(docs).strip("\n")
        return text + "\n" if text else ""

    def declaration(self, node: tree.Declaration) -> Doc:
        if isinstance(node, tree.Form):
            return self.form(node)
        if isinstance(node, tree.Claim):
            return self.claim(node)
        head: list[Doc] = [self.token(), " "]
        if isinstance(node, tree.Seeds):
            return [*head, self.expr(node.values)]
        if isinstance(node, tree.Sweep):
            names = self.token() if len(node.names) == 1 else self.bracket([self.token] * len(node.names))
            return [*head, names, " ", self.token(), " ", self.expr(node.values)]
        head.append(self.token())
        if isinstance(node, tree.Import):
            return [*head, " ", self.token(), " ", self.token()]
        if isinstance(node, tree.Bind):
            return [*head, " ", self.token(), " ", self.expr(node.value)]
        if node.type is not None:
            head += [self.token(), " ", self.token()]
        head += [" ", self.token(), " ", self.expr(node.value)]
        if node.domain is not None:
            head += [" ", self.token(), " ", self.expr(node.domain)]
        return head

    def form(self, node: tree.Form) -> Doc:
        head: list[Doc] = [self.token(), " ", self.token(), " "]
        while self.next() != "{":
            word = self.next()
            head += (
                [self.token(), " "] if word == "extends" or self.words[self.at + 1] == "{" else [self.token()]
            )
        head.append(self.token())
        body: list[Doc] = []
        for number, entry in enumerate(node.entries):
            body += self.lines(is_first=number == 0)
            for _ in range(2 * len(entry.path) - 1):
                body.append(self.token())
            body += [" ", self.token(), " ", self.expr(entry.value, indent=INDENT)]
        has_comments = bool(self.gaps[self.at].lines)
        last = self.lines(is_first=not body) if has_comments else [HARD]
        if not node.entries and not has_comments:
            return [*head, self.token()]
        return [*head, Indent([*body, *last[:-1]]), HARD, self.token()]

    def claim(self, node: tree.Claim) -> Doc:
        head: Doc = [self.token(), " ", self.token(), self.token()]
        statement: list[Doc] = [*self.own_lines(), self.chain(node.statement)]
        for quantifier in node.quantifiers:
            statement += [Indent(SPACE), self.token(), " ", self.token()]
            if quantifier.axes:
                statement.append(" ")
                is_list = self.next() == "["
                statement.append(
                    self.bracket([self.token] * len(quantifier.axes)) if is_list else self.token()
                )
        if node.level is not None:
            statement += [
                Indent(SPACE) if node.quantifiers else " ",
                self.token(),
                " ",
                self.expr(node.level),
            ]
        return group([head, Indent([SPACE, group(statement)])])

    def own_lines(self) -> list[Doc]:
        """Comments on lines of their own before the next token, each with its break."""
        lines = self.gaps[self.at].lines
        self.gaps[self.at] = self.gaps[self.at]._replace(lines=())
        docs: list[Doc] = []
        for _, comment in lines:
            docs += [comment, HARD]
        return docs

    # --- expressions ----------------------------------------------------------------------------------------

    def expr(self, node: tree.Expr, *, indent: int = 0) -> Doc:
        if isinstance(node, tree.Text):
            return self.text(indent) if node.doc else self.token()
        if isinstance(node, tree.Quantity):
            number = self.next()[: len(self.next()) - len(node.unit)].rstrip()
            return self.token(number + node.unit if node.unit == "%" else f"{number} {node.unit}")
        if isinstance(node, tree.Binary | tree.Where):
            return group(self.chain(node))
        if isinstance(node, tree.Unary):
            return [self.token(), " " if node.op == "not" else "", self.expr(node.operand)]
        if isinstance(node, tree.Dot):
            return [self.expr(node.base), self.token(), self.token()]
        if isinstance(node, tree.Call):
            return [self.expr(node.callee), self.bracket(node.arguments)]
        if isinstance(node, tree.List | tree.Tuple):
            return self.bracket(node.items)
        if isinstance(node, tree.Group):
            return self.bracket((node.inner,), comma=False)
        if isinstance(node, tree.Until):
            values = self.expr(node.values)
            until = [" ", self.token(), " ", self.token(), self.token()]
            return [values, *until, " ", self.token(), " ", self.token(), " ", self.expr(node.most)]
        if isinstance(node, tree.Range):
            docs: list[Doc] = [self.expr(node.low), self.token(), self.expr(node.high)]
            return [*docs, " ", self.token(), " ", self.expr(node.step)] if node.step else docs
        return self.token()

    def chain(self, node: tree.Expr) -> Doc:
        """Operands of loose operators, with a break before each operator."""
        first, rest = self.links(node)
        return [first, Indent(rest)] if rest else first

    def links(self, node: tree.Expr) -> tuple[Doc, list[Doc]]:
        if isinstance(node, tree.Where):
            left, right = node.subject, node.condition
        elif isinstance(node, tree.Binary):
            left, right = node.left, node.right
        else:
            return self.expr(node), []
        first, before = self.links(left)
        is_loose = isinstance(node, tree.Where) or node.op in _LOOSE
        lead: list[Doc] = [SPACE, *self.own_lines()] if is_loose else [" "]
        lead += [self.token(), " "]
        second, after = self.links(right)
        if not before and not is_loose:
            return [first, *lead, second], after
        return first, [*before, *lead, second, *after]

    def bracket(self, items: object, *, comma: bool = True) -> Doc:
        """Items between brackets; one a line where they do not fit."""
        opening, inner = self.token(), list[Doc]()
        parts: list[object] = list(items)  # type: ignore[call-overload]
        for number, item in enumerate(parts):
            inner += [SOFT if number == 0 else SPACE, *self.own_lines(), self.item(item)]
            is_last = number == len(parts) - 1
            if self.next() == ",":
                inner.append(self.token("" if is_last else ","))
            if is_last and comma:
                inner.append(Broken(","))
        closing_lines = self.own_lines()
        if closing_lines:
            inner += [HARD, *closing_lines[:-1]]
        end = HARD if closing_lines else SOFT
        is_empty = not parts and not closing_lines
        return group([opening, "" if is_empty else [Indent(inner), end], self.token()])

    def item(self, item: object) -> Doc:
        if isinstance(item, tree.Argument):
            key: list[Doc] = [self.token(), self.token()] if item.key else []
            return [*key, self.expr(item.value)]
        return item() if callable(item) else self.expr(item)  # type: ignore[arg-type]

    def text(self, indent: int) -> Doc:
        """A three-quoted text; one of several lines stands between its quotes, indented."""
        value = dedented(self.next()[3:-3])
        if "\n" not in value and not value.endswith('"'):
            return self.token(f'"""{value}"""')
        margin = " " * (2 * indent)
        body = "\n".join(margin + line if line else "" for line in value.split("\n"))
        return self.token(f'"""\n{body}\n{" " * indent}"""')
