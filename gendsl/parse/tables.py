"""The parser's tables, made from the grammar by lark and kept in the user's cache folder.

`grammar/gen.lark` is the one source of truth. Lark turns it into LALR(1) tables; those are stored as JSON
(never pickle: a table is data and cannot run anything), so that a parse needs neither lark nor the 60 ms of
making them.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from gendsl.places import cache_folder, resource

FORMAT = "3"


class Rule(NamedTuple):
    """`name` is the alias or the left side; a `unit` rule hands on its one part; a `helper` rule collects a
    list.
    """

    name: str
    length: int
    left: str
    unit: bool
    helper: bool
    splice: bool


class Tables(NamedTuple):
    """Terminals are numbered; 0 is the end of the text.

    `rows[state]` maps a terminal to an action: `s >= 0` shifts to state s, `-(r + 1)` reduces by rule r.
    `gotos[state]` maps a left side to a state.
    """

    terminals: tuple[str, ...]
    patterns: tuple[tuple[str, str], ...]
    ignored: tuple[str, ...]
    literals: dict[str, int]
    rules: tuple[Rule, ...]
    rows: tuple[dict[int, int], ...]
    gotos: tuple[dict[str, int], ...]
    starts: dict[str, int]
    ends: dict[str, int]
    chains: dict[int, int]
    """Where chains of unit rules lead, filled by the driver as it meets them."""


@cache
def tables() -> Tables:
    """The tables of the grammar, from the cache where it has them."""
    grammar = resource("grammar", "gen.lark").read_bytes()
    key = hashlib.sha256(b"\0".join((FORMAT.encode(), _lark_version().encode(), grammar))).hexdigest()
    folder = cache_folder()
    path = folder / f"grammar-{key[:32]}.json" if folder else None
    if path is not None:
        try:
            return _from_json(path.read_text("utf-8"))
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            pass  # Not there yet, or damaged: make it anew.
    text = _make(grammar.decode("utf-8"))
    if path is not None:
        _write(path, text)
    return _from_json(text)


def _lark_version() -> str:
    """Read from lark's file: importing lark, or `importlib.metadata`, costs more than the whole parse."""
    spec = find_spec("lark")
    text = Path(spec.origin).read_text("utf-8") if spec and spec.origin else ""
    found = re.search(r'__version__[^=\n]*=\s*"([^"]*)"', text)
    return found[1] if found else "unknown"


def _write(path: Path, text: str) -> None:
    part = path.with_suffix(f".{os.getpid()}.part")
    try:
        part.write_text(text, "utf-8")
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)


def _make(grammar: str) -> str:
    """The tables as JSON; the only place that needs lark."""
    from lark import Lark
    from lark.grammar import Rule as LarkRule
    from lark.lexer import TerminalDef

    starts = ["file", "expr", "seeding"]
    machine = Lark(grammar, parser="lalr", lexer="basic", start=starts, maybe_placeholders=False)
    data, memo = machine.memo_serialize([TerminalDef, LarkRule])
    parser = data["parser"]["parser"]
    found = sorted(machine.terminals, key=_precedence)
    names = ["$END", *(terminal.name for terminal in found)]
    states = [parser["states"][number] for number in range(len(parser["states"]))]
    rules: dict[int, Rule] = {}
    rows: list[list[tuple[int, int]]] = []
    gotos: list[list[tuple[str, int]]] = []
    for state in states:
        rows.append([])
        gotos.append([])
        for token, (is_reduce, target) in state.items():
            name = parser["tokens"][token]
            if is_reduce:
                rules.setdefault(target["@"], _rule(memo[target["@"]]))
                action = -1 - list(rules).index(target["@"])
                rows[-1].append((names.index(name), action))
            elif name in names:
                rows[-1].append((names.index(name), target))
            else:
                gotos[-1].append((name, target))
    table: dict[str, Any] = {
        "terminals": names,
        "patterns": [(t.name, t.pattern.to_regexp()) for t in found if _is_pattern(t)],
        "ignored": machine.ignore_tokens,
        "literals": {t.pattern.value: names.index(t.name) for t in found if not _is_pattern(t)},
        "rules": list(rules.values()),
        "rows": rows,
        "gotos": gotos,
        "starts": parser["start_states"],
        "ends": parser["end_states"],
    }
    return json.dumps(table, separators=(",", ":"))


def _is_pattern(terminal: Any) -> bool:
    """Whether the lexer must try it as a regular expression; the others are words and signs, looked up."""
    return bool(terminal.pattern.type != "str")


def _precedence(terminal: Any) -> tuple[int, int, int, str]:
    """Lark's order of trying terminals."""
    pattern = terminal.pattern
    return (-terminal.priority, -pattern.max_width, -len(pattern.value), terminal.name)


def _rule(facts: Any) -> Rule:
    left = str(facts["origin"]["name"])
    parts = [str(part["name"]) for part in facts["expansion"]]
    alias = facts["alias"]
    is_unit = bool(facts["options"]["expand1"]) and len(parts) == 1 and not alias
    is_helper = left.startswith("__")
    splices = any(part.startswith("__") and part.islower() for part in parts)
    return Rule(str(alias or left), len(parts), left, is_unit, is_helper, splices and not is_helper)


def _from_json(text: str) -> Tables:
    data = json.loads(text)
    return Tables(
        terminals=tuple(data["terminals"]),
        patterns=tuple((name, pattern) for name, pattern in data["patterns"]),
        ignored=tuple(data["ignored"]),
        literals=data["literals"],
        rules=tuple(Rule(*rule) for rule in data["rules"]),
        rows=tuple(dict(row) for row in data["rows"]),
        gotos=tuple(dict(goto) for goto in data["gotos"]),
        starts=data["starts"],
        ends=data["ends"],
        chains={},
    )
