"""The catalogue: what every component takes and gives, read from its file without importing it.

A component is one decorated function in a file of its name. The signature and the decorator's literals are
read with `ast` and kept in the user's cache folder, guarded by each file's time and size.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from gendsl.diagnostic import Diagnostic
from gendsl.source import Source, Span
from gendsl.types import Type, described

FORMAT = 5
"""Raised whenever what is cached changes its shape."""


class Parameter(NamedTuple):
    """One parameter. `default` is a literal; a string stands for text, a choice or a component by name."""

    name: str
    type: Type
    required: bool = True
    default: Any = None
    positional: bool = False
    keyword: str = ""
    """The name in Python, where it differs: `from_`."""

    @property
    def python(self) -> str:
        return self.keyword or self.name


class Gives(NamedTuple):
    """A quantity of an analysis: its base unit and its own axes."""

    unit: str
    axes: tuple[str, ...]


class Description(NamedTuple):
    """All that is known about a component without running it. `facts` are its decorator's literals."""

    kind: str
    name: str
    file: str
    line: int
    version: int
    parameters: dict[str, Parameter]
    facts: dict[str, Any]
    summary: str
    body: str
    arity: int = 0
    """How many positional arguments a statistic has; -1 for any number."""

    @property
    def paper(self) -> tuple[str, ...]:
        keys = self.facts.get("paper", ())
        return (keys,) if isinstance(keys, str) else tuple(keys)

    @property
    def needs(self) -> tuple[str, ...]:
        needs = self.facts.get("needs") or ()
        return (needs,) if isinstance(needs, str) else tuple(needs)

    @property
    def gives(self) -> dict[str, Gives]:
        """The quantities of an analysis, the main one first."""
        return {name: _gives(text) for name, text in self.facts.get("gives", {}).items()}

    @property
    def positional(self) -> list[Parameter]:
        return [parameter for parameter in self.parameters.values() if parameter.positional]


def _gives(text: str) -> Gives:
    """`nats [epoch]` is the unit nats with the own axis epoch."""
    from gendsl.quantity import base_of

    unit, _, axes = text.partition("[")
    names = axes.rstrip("] ").replace(",", " ").split()
    return Gives(base_of(unit.strip()), tuple(names))


@dataclass(frozen=True)
class Catalogue:
    """Every component by kind and name; `faults` says which files could not be read as one."""

    components: Mapping[tuple[str, str], Description]
    faults: tuple[Diagnostic, ...] = ()

    @classmethod
    def read(cls, folders: Mapping[str, Path], *, cache: Path | None = None) -> Catalogue:
        """Read the folder of each kind; `cache` is a file, by default in the user's cache folder."""
        cache = cache or cache_folder() / "catalogue.json"
        known = _load(cache)
        entries: dict[str, Any] = {}
        components: dict[tuple[str, str], Description] = {}
        faults: list[Diagnostic] = []
        for kind, folder in folders.items():
            for path, stamp in _files(folder):
                entry = known.get(path)
                if entry is None or entry["stamp"] != stamp:
                    entry = {"stamp": stamp, **_examined(path, kind)}
                entries[path] = entry
                if entry["description"] is not None:
                    description = _restored(entry["description"])
                    components[kind, description.name] = description
                if entry["fault"] is not None:
                    faults.append(_fault(path, *entry["fault"]))
        if entries != known:
            _save(cache, {**known, **entries})
        return cls(components, tuple(faults))

    def names(self, kind: str) -> list[str]:
        """Names of the components of a kind, in alphabetical order."""
        return sorted(self._by_kind.get(kind, ()))

    def find(self, kind: str, name: str) -> Description | None:
        """The component of that kind and name."""
        return self.components.get((kind, name))

    def kinds_of(self, name: str) -> list[str]:
        """The kinds that have a component of this name."""
        return [kind for kind, names in self._by_kind.items() if name in names]

    @cached_property
    def _by_kind(self) -> dict[str, list[str]]:
        table: dict[str, list[str]] = {}
        for kind, name in self.components:
            table.setdefault(kind, []).append(name)
        return table


def cache_folder() -> Path:
    """Where things are kept that can be made again: `$XDG_CACHE_HOME/gendsl`, else `~/.cache/gendsl`."""
    root = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111 (Path.home may raise)
    return Path(root) / "gendsl"


def _files(folder: Path) -> Iterator[tuple[str, list[int]]]:
    """Python files of a folder with the stamp that guards them, in alphabetical order."""
    try:
        found = sorted((e for e in os.scandir(folder) if e.name.endswith(".py")), key=lambda e: e.name)
    except OSError:
        return
    for entry in found:
        if not entry.name.startswith("_"):
            state = entry.stat()
            yield entry.path, [state.st_mtime_ns, state.st_size]


def _examined(path: str, kind: str) -> dict[str, Any]:
    from gendsl.component_file import MalformedError, describe

    try:
        description = describe(Path(path).read_bytes(), path, kind)
        return {"description": description and list(description), "fault": None}
    except MalformedError as error:
        return {"description": None, "fault": [str(error), error.line, error.column]}
    except OSError as error:
        return {"description": None, "fault": [f"the file cannot be read: {error.strerror}", 1, 0]}


def _fault(path: str, message: str, line: int, column: int) -> Diagnostic:
    try:
        text = Path(path).read_bytes().decode(errors="replace").replace("\r\n", "\n")
    except OSError:
        text = ""
    source = Source(text, path)
    start = source.line_starts[min(line, len(source.line_starts)) - 1] + column
    end = start + max(1, len(source.line(source.position(start).line).rstrip()) - column) if text else start
    return Diagnostic("bad-component", message, source, Span(start, end))


def _restored(values: list[Any]) -> Description:
    kind, name, file, line, version, parameters, facts, summary, body, arity = values
    rebuilt = {key: Parameter(p[0], _type(p[1]), p[2], p[3], p[4], p[5]) for key, p in parameters.items()}
    return Description(kind, name, file, line, version, rebuilt, facts, summary, body, arity)


def _type(values: list[Any]) -> Type:
    if isinstance(values, Type):
        return values
    name, low, high, open_, unit, choices, items, optional, others, per_member = values
    inner = _type(items) if items else None
    return Type(
        name, low, high, open_, unit, tuple(choices), inner, optional, tuple(map(_type, others)), per_member
    )


def _load(cache: Path) -> dict[str, Any]:
    try:
        content = json.loads(cache.read_bytes())
        files = content["files"] if content["format"] == FORMAT else {}
        return {path: entry for path, entry in files.items() if "stamp" in entry}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _save(cache: Path, files: dict[str, Any]) -> None:
    """Written beside and renamed, so that no reader sees half of it; failing to keep a cache is no fault."""
    with contextlib.suppress(OSError):
        cache.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=cache.parent, prefix=cache.name)
        with os.fdopen(handle, "w") as file:
            json.dump({"format": FORMAT, "files": files}, file, separators=(",", ":"))
        Path(name).replace(cache)


def signature(description: Description) -> str:
    """How one writes it: `sgd(lr, momentum=0, schedule=constant)`."""
    words = [
        p.name if p.required else f"{p.name}={literal(p.default, p.type)}"
        for p in description.parameters.values()
    ]
    return f"{description.name}({', '.join(words)})"


def literal(value: Any, type_: Type) -> str:
    """A default as one would write it in a spec."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value}"' if type_.name in ("Text", "InputFile") else value
    if isinstance(value, list):
        return "[" + ", ".join(literal(item, type_.items or type_) for item in value) + "]"
    return f"{value} {type_.unit}" if type_.unit else f"{value}"


__all__ = [
    "Catalogue",
    "Description",
    "Gives",
    "Parameter",
    "Type",
    "cache_folder",
    "described",
    "literal",
    "signature",
]
