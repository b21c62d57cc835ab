"""The LALR(1) loop.

It takes two liberties that make it several times faster than a general driver: chains of rules with one part
(there are a dozen between `expr` and a name) are walked once and remembered, and every part is a tuple that
begins with its span.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from gendsl import tree
from gendsl.parse.lex import END, Tokens
from gendsl.parse.tables import Rule, Tables, tables
from gendsl.source import Span

DEEPEST = 100
"""Levels of nesting of one declaration; later passes may recurse that deep."""
STACK = 7 * DEEPEST
"""Parts waiting on the stack; more than any declaration within the limit of nesting can need."""


class Halt(NamedTuple):
    """Where the driver stopped: at which token, and what lay on its stacks."""

    at: int
    states: list[int]
    values: list[Any]
    too_deep: bool = False


class Driver:
    """Runs the tables over tokens; `functions` make the nodes, one for each rule."""

    def __init__(self, tokens: Tokens, functions: list[Callable[[list[Any]], Any]]) -> None:
        self.tokens = tokens
        self.tables: Tables = tables()
        self.functions = functions

    def run(self, start: str, at: int) -> tuple[Any, Halt | None]:
        """Read from token `at`; the value of `start` and None, or None and where it stopped."""
        rows, gotos, rules = self.tables.rows, self.tables.gotos, self.tables.rules
        functions, end_state = self.functions, self.tables.ends[start]
        text, kinds, starts, ends, _ = self.tokens
        new, name = tuple.__new__, tree.Name
        states = [self.tables.starts[start]]
        values: list[Any] = []
        state = states[0]
        width, chains = len(self.tables.terminals), self.tables.chains
        while True:
            kind = kinds[at]
            action = rows[state].get(kind)
            if action is None:
                return None, Halt(at, states, values)
            if action >= 0:
                span = new(Span, (starts[at], ends[at]))
                values.append(new(name, (span, text[span[0] : span[1]])))
                states.append(action)
                state = action
                at += 1
                if len(states) > STACK:
                    return None, Halt(at - 1, states, values, too_deep=True)
                continue
            rule = rules[-1 - action]
            if rule[3]:  # A chain of rules with one part: its end depends on two states and a token only.
                chain = ((states[-2] << 12) + state) * width + kind
                if (known := chains.get(chain)) is None:
                    known = chains[chain] = self._chain_end(states[-2], state, kind)
                state = states[-1] = known
                if state == end_state and kind == END:
                    return values[-1], None
                continue
            length = rule[1]
            if length:
                parts = values[-length:]
                del values[-length:], states[-length:]
            else:
                parts = []
            values.append(functions[-1 - action](parts))
            state = gotos[states[-1]][rule[2]]
            states.append(state)
            if state == end_state and kind == END:
                return values[-1], None

    def _chain_end(self, below: int, state: int, kind: int) -> int:
        rows, gotos, rules = self.tables.rows, self.tables.gotos, self.tables.rules
        while (action := rows[state].get(kind)) is not None and action < 0 and rules[-1 - action].unit:
            state = gotos[below][rules[-1 - action].left]
        return state


def advance(states: list[int], kinds: list[int], at: int = 0) -> int:
    """Read `kinds` from number `at` on, moving `states`; how many could be read. No nodes are made."""
    table = tables()
    rows, gotos, rules, ends = table.rows, table.gotos, table.rules, table.ends.values()
    while at < len(kinds) and len(states) <= STACK:
        action = rows[states[-1]].get(kinds[at])
        if action is None:
            break
        if action >= 0:
            states.append(action)
            at += 1
            continue
        rule = rules[-1 - action]
        if rule.length:
            del states[-rule.length :]
        states.append(gotos[states[-1]][rule.left])
        if kinds[at] == END and states[-1] in ends:
            return len(kinds)
    return at


def functions(builder: object) -> list[Callable[[list[Any]], Any]]:
    """The functions of `builder` by number of rule; helper rules (`x*`) collect plain lists."""
    return [
        _collect if rule.helper or rule.unit else _splicing(getattr(builder, rule.name), rule)
        for rule in tables().rules
    ]


def _collect(parts: list[Any]) -> list[Any]:
    first = parts[0]
    if type(first) is list:
        first.extend(parts[1:])
        return first
    return parts


def _splicing(function: Callable[[list[Any]], Any], rule: Rule) -> Callable[[list[Any]], Any]:
    if not rule.splice:
        return function

    def spliced(parts: list[Any]) -> Any:
        flat: list[Any] = []
        for part in parts:
            if type(part) is list:
                flat.extend(part)
            else:
                flat.append(part)
        return function(flat)

    return spliced
