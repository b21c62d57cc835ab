"""Text to tree.

The tables come from `grammar/gen.lark`. A declaration that cannot be read is set aside with one diagnostic,
and reading goes on at the next one. What finds the words for a fault is imported only once there is one.
"""

from __future__ import annotations

import gc
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from gendsl import tree
from gendsl.diagnostic import Diagnostic
from gendsl.parse.build import Builder
from gendsl.parse.driver import DEEPEST, Driver, Halt, functions
from gendsl.parse.lex import END, Tokens, lex
from gendsl.source import Source, Span

if TYPE_CHECKING:
    from gendsl.parse.segment import Segment

MOST = 100
"""Diagnostics of one file; after these, reading stops."""

_DECLARATIONS = (tree.Import, tree.Param, tree.Sweep, tree.Seeds, tree.Claim, tree.Bind, tree.Form)
_LEAVES = (Span, tree.Name, tree.Number, tree.Quantity, tree.Text, tree.Constant)


def parse(source: Source) -> tuple[tree.File, list[Diagnostic]]:
    """The declarations of a file, and what is wrong with its syntax.

    Never raises. Names of declarations that could not be read are in `File.broken`.
    """
    with _uncollected():
        return _Reading(source).file()


def parse_expression(
    source: Source, *, start: Literal["expr", "seeding"] = "expr"
) -> tuple[tree.Expr | None, list[Diagnostic]]:
    """One expression, as after `--set width=`; None where it cannot be read.

    Args:
        start: `seeding` for what stands after `seeds`: it may go on `until decided`.
    """
    with _uncollected():
        return _Reading(source).expression(start)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Switches the garbage collector off: a tree has no cycles, and collecting doubles the time of a
    parse.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class _Reading:
    """One text being read, with recovery."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.builder = Builder(source)
        self.functions = functions(self.builder)
        self.tokens = lex(source.text)
        self.items: list[tree.Declaration] = []
        self.broken: set[str] = set()
        self.diagnostics: list[Diagnostic] = []
        if self.tokens.faults:
            from gendsl.parse.faults import lexical

            self.diagnostics = lexical(source, self.tokens)

    def file(self) -> tuple[tree.File, list[Diagnostic]]:
        at: int | None = 0
        while at is not None and len(self.diagnostics) < MOST:
            items, halt = Driver(self.tokens, self.functions).run("file", at)
            if halt is None:
                self.items += items
                break
            at = self._recover(halt)
        kept = tuple(item for item in self.items if self._is_shallow(item))
        found = sorted(self.diagnostics + self.builder.diagnostics, key=lambda d: d.span)
        return tree.File(kept, frozenset(self.broken)), found

    def expression(self, start: str) -> tuple[tree.Expr | None, list[Diagnostic]]:
        value, halt = Driver(self.tokens, self.functions).run(start, 0)
        if halt is not None:
            from gendsl.parse.faults import diagnose
            from gendsl.parse.segment import Segment

            segment = Segment(self.source, self.tokens, 0, len(self.tokens.kinds) - 1, start)
            self.diagnostics.append(diagnose(segment, halt))
        elif not self._is_shallow(value):
            value = None
        return value, self.diagnostics + self.builder.diagnostics

    def _recover(self, halt: Halt) -> int | None:
        """Keep what was read, report the declaration that could not be, and say where to go on."""
        from gendsl.parse.faults import diagnose
        from gendsl.parse.segment import Segment

        first = self._keep(halt)
        segment = Segment.around(self.source, self.tokens, first)
        if first < halt.at and segment.may_end_before(halt.at) and segment.is_complete_before(halt.at):
            self._read(segment, halt.at)
            segment = Segment.around(self.source, self.tokens, halt.at)
        elif self.items and segment.continues_line():
            # `dataset a = b train=3)`: the word `train` began no declaration, so the one before it is at
            # fault.
            last = self.items.pop()
            first = bisect_left(self.tokens.starts, last.span.start)
            segment = Segment.around(self.source, self.tokens, first)
        if not halt.too_deep and segment.is_complete_before(segment.end):
            self._read(segment, segment.end)
        else:
            self._report(diagnose(segment, halt), segment)
            self.broken |= segment.names()
        return segment.end if self.tokens.kinds[segment.end] != END else None

    def _report(self, fault: Diagnostic, segment: Segment) -> None:
        """One fault for one segment: what the lexer guessed in it counts only where it comes first."""
        start, end = self.tokens.starts[segment.first], self.tokens.starts[segment.end]
        inside = [known for known in self.diagnostics if start <= known.span.start < end]
        line = self.source.position(fault.span.start).line
        first = next((k for k in inside if self.source.position(k.span.start).line <= line), fault)
        self.diagnostics = [known for known in self.diagnostics if known not in inside] + [first]

    def _keep(self, halt: Halt) -> int:
        """Take the declarations that were read off the stack; the number of the first token that belongs to
        none.
        """
        values = halt.values
        while values and (type(values[0]) is list or isinstance(values[0], _DECLARATIONS)):
            head = values.pop(0)
            self.items += head if type(head) is list else [head]
        return bisect_left(self.tokens.starts, values[0][0].start) if values else halt.at

    def _read(self, segment: Segment, end: int) -> None:
        """Read one declaration that is known to be right."""
        text, kinds, starts, ends, _ = self.tokens
        part = slice(segment.first, end)
        place = [ends[end - 1]]
        tokens = Tokens(text, [*kinds[part], END], starts[part] + place, ends[part] + place, [])
        items, halt = Driver(tokens, self.functions).run("file", 0)
        if halt is None:
            self.items += items

    def _is_shallow(self, item: Any) -> bool:
        """Whether later passes may recurse into `item`; reports it where they may not."""
        if item[0].end - item[0].start < 2 * DEEPEST:
            return True
        waiting: list[tuple[Any, int]] = [(item, 0)]
        while waiting:
            node, depth = waiting.pop()
            if depth > DEEPEST:
                self.builder.report(
                    "too-deep",
                    f"this is nested more than {DEEPEST} levels deep",
                    node[0],
                    help="give parts of it names with `let`",
                )
                if isinstance(item, _DECLARATIONS):
                    self.broken |= {name.id for name in getattr(item, "names", ())}
                    self.broken |= {item.name.id} if hasattr(item, "name") else set()
                return False
            # Lists of parts are plain tuples, and no level of their own.
            deeper = depth if type(node) in (tuple, tree.Argument) else depth + 1
            waiting += [
                (part, deeper) for part in node if isinstance(part, tuple) and not isinstance(part, _LEAVES)
            ]
        return True
