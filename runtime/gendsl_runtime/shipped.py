"""The experiments that come with GenDSL: what there is, one by its name, and a copy of one to start from."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from gendsl.parse import parse
from gendsl.places import resource
from gendsl.source import Source
from gendsl.tree import Form, Import, Text
from gendsl.words import nearest

SPECS = "specs"
FIRST = "start here"
"""The family of the specs that lie in no folder of it."""


class UnknownSpecError(LookupError):
    """No shipped spec, or several, have this name; the message says what was meant, or which there are."""


@dataclass(frozen=True)
class Shipped:
    """One experiment; its name is where it lies, `minima/flat_minima`."""

    name: str
    path: Path

    @property
    def short(self) -> str:
        """The name of its file."""
        return self.path.stem

    @property
    def family(self) -> str:
        """The folder it lies in, in words."""
        return self.name.rpartition("/")[0].replace("_", " ") or FIRST

    @property
    def title(self) -> str:
        """What it says of itself in a line."""
        return self.said("title") or self.short.replace("_", " ")

    def said(self, key: str) -> str:
        """A text of its `experiment` block; empty where it has none of that key."""
        entries = self._head.entries if self._head else ()
        found = [one.value for one in entries if [part.id for part in one.path] == [key]]
        return found[0].value if found and isinstance(found[0], Text) else ""

    def renamed(self, name: str) -> str:
        """Its text, with the experiment called `name`."""
        if self._head is None:
            return self._source.text
        text, span = self._source.text, self._head.name.span
        return f"{text[: span.start]}{name}{text[span.end :]}"

    def companions(self) -> tuple[Path, ...]:
        """The files that it imports, and those that they import, relative to its folder."""
        return tuple(dict.fromkeys(_imported(self.path, self.path.parent, set())))

    @cached_property
    def _source(self) -> Source:
        return Source.read(self.path)

    @cached_property
    def _head(self) -> Form | None:
        file, _ = parse(self._source)
        heads = (one for one in file.declarations if isinstance(one, Form) and one.kind == "experiment")
        return next(heads, None)


def shipped() -> tuple[Shipped, ...]:
    """All of them by family, those of no family first."""
    folder = resource(SPECS)
    paths = sorted(folder.rglob("*.gen"), key=lambda path: (len(path.relative_to(folder).parts), path))
    return tuple(Shipped(path.relative_to(folder).with_suffix("").as_posix(), path) for path in paths)


def named(name: str) -> Shipped:
    """The one that is meant: by its name, the name of its file, or the one it has in the catalogue of experiments.

    Raises:
        UnknownSpecError: there is none, or more than one.
    """
    there = shipped()
    wanted = name.removesuffix(".gen")
    for found in (
        [one for one in there if one.name == wanted],
        [one for one in there if one.short == wanted],
        [one for one in there if wanted and one.said("catalogue") == wanted],
    ):
        if len(found) == 1:
            return found[0]
        if found:
            raise UnknownSpecError(f"several are called `{name}`: {', '.join(one.name for one in found)}")
    last = wanted.rpartition("/")[2]
    elsewhere = [one.name for one in there if one.short == last]
    near = next(iter(elsewhere), None) or nearest(last, (one.short for one in there))
    near = near or nearest(wanted, (one.said("catalogue") for one in there))
    meant = f"did you mean `{near}`?" if near else f"there are: {', '.join(one.short for one in there)}"
    raise UnknownSpecError(f"no spec called `{name}` comes with GenDSL; {meant}")


def _imported(path: Path, home: Path, seen: set[Path]) -> Iterator[Path]:
    """What a file imports, of files beside it; each file once."""
    if path in seen or not path.is_file():
        return
    seen.add(path)
    for near in _modules(path) if path.suffix == ".py" else _specs(path):
        if near.is_file() and near not in seen:
            yield near.relative_to(home)
            yield from _imported(near, home, seen)


def _specs(path: Path) -> Iterator[Path]:
    file, _ = parse(Source.read(path))
    yield from (path.parent / one.path.value for one in file.declarations if isinstance(one, Import))


def _modules(path: Path) -> Iterator[Path]:
    """The modules beside a Python file that it may import; those of packages are elsewhere."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module] if node.module else [alias.name for alias in node.names]
        else:
            continue
        yield from (path.with_name(f"{name}.py") for name in names)
