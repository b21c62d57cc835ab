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
from typing import Any
from zlib import crc32

from gendsl.catalogue.description import Description, Parameter
from gendsl.catalogue.types import Type
from gendsl.diagnostic import Diagnostic
from gendsl.places import cache_folder
from gendsl.source import Source, Span

FORMAT = 7
"""Raised whenever what is cached changes its shape."""


@dataclass(frozen=True)
class Catalogue:
    """Every component by kind and name; `faults` says which files could not be read as one."""

    components: Mapping[tuple[str, str], Description]
    faults: tuple[Diagnostic, ...] = ()

    @classmethod
    def read(cls, folders: Mapping[str, Path], *, cache: Path | None = None) -> Catalogue:
        """Read the folder of each kind; `cache` is a file, by default one for these folders in the user's cache."""
        if cache is None and (own := cache_folder()) is not None:
            place = crc32("\0".join(map(str, folders.values())).encode())
            cache = own / f"catalogue-{place:08x}.json"
        known = _load(cache) if cache else {}
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
        if cache and entries != known:
            _save(cache, entries)
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


def _files(folder: Path) -> Iterator[tuple[str, list[int]]]:
    """Python files of a folder and of the families in it, with the stamp that guards them, in order."""
    try:
        found = sorted((e for e in os.scandir(folder) if e.name[0] not in "_."), key=lambda e: e.name)
    except OSError:
        return
    for entry in found:
        if entry.is_dir():
            yield from _files(Path(entry.path))
        elif entry.name.endswith(".py"):
            state = entry.stat()
            yield entry.path, [state.st_mtime_ns, state.st_size]


def _examined(path: str, kind: str) -> dict[str, Any]:
    from gendsl.catalogue.component_file import MalformedError, describe

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
    kind, name, file, line, version, parameters, facts, summary, body, arity, _ = values
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
    """Written beside and renamed, so that no reader sees half of it; failing to keep a cache is no fault.

    A cache that is no regular file, such as a device, is left alone.
    """
    with contextlib.suppress(OSError):
        if cache.exists() and not cache.is_file():
            return
        handle, name = tempfile.mkstemp(dir=cache.parent, prefix=cache.name)
        try:
            with os.fdopen(handle, "w") as file:
                json.dump({"format": FORMAT, "files": files}, file, separators=(",", ":"))
            Path(name).replace(cache)
        except OSError:
            Path(name).unlink()
