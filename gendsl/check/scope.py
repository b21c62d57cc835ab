"""The names of a file and what is known about them while checking."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from gendsl import tree
from gendsl.catalogue import Catalogue
from gendsl.catalogue.description import Description
from gendsl.check.faults import Faults, Place
from gendsl.source import Source, Span
from gendsl.spec import Axis, Component, Plot, Step, Value

if TYPE_CHECKING:
    from gendsl.catalogue.python import PythonFile
    from gendsl.check.drafts import Draft
    from gendsl.check.sweeps import AxisDraft


class Given(NamedTuple):
    """An expression and the file whose names it uses."""

    expr: tree.Expr
    scope: Scope
    source: Source

    @property
    def place(self) -> Place:
        return Place(self.source, self.expr.span)

    def at(self, expr: tree.Expr) -> Given:
        """A part of this expression."""
        return Given(expr, self.scope, self.source)

    def spot(self, span: Span) -> Place:
        return Place(self.source, span)

    @property
    def text(self) -> str:
        """The expression as written, on one line."""
        return " ".join(self.source.text[self.expr.span.start : self.expr.span.end].split())


class Edit(NamedTuple):
    """`optimizer.lr = 0.5`, in an `extends`, a preset or a `--set`."""

    path: tuple[tree.Name, ...]
    value: Given
    text: Source | None = None
    """Where the path stands, if not beside the value."""

    @property
    def place(self) -> Place:
        return Place(self.text or self.value.source, self.path[0].span.to(self.path[-1].span))

    def key(self, name: tree.Name) -> Place:
        """The place of one name of the path."""
        return Place(self.text or self.value.source, name.span)


@dataclass(eq=False)
class Declared:
    """One name of a file. `word` is what declares it: `param`, `sweep`, `seeds`, `train` ..."""

    name: str
    word: str
    node: tree.Declaration
    scope: Scope
    place: Place
    given: Given | None = None
    """The value, for the forms `name = value`; replaced by a preset or `--set`."""
    edits: list[Edit] = field(default_factory=list)
    module: Scope | None = None
    is_used: bool = False

    @property
    def full(self) -> str:
        """Its name as the main file would say it."""
        return self.scope.prefix + self.name

    @property
    def caption(self) -> str:
        return self.node.caption.value if self.node.caption else ""


@dataclass(eq=False)
class Scope:
    """One file: `prefix` is what the main file puts before its names (`common.`)."""

    source: Source
    prefix: str = ""
    names: dict[str, Declared] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    python: PythonFile | None = None
    """For a file of Python: its components."""

    def given(self, expr: tree.Expr) -> Given:
        return Given(expr, self, self.source)


@dataclass(eq=False)
class World:
    """Everything known so far about the experiment being checked."""

    catalogue: Catalogue
    faults: Faults
    main: Scope
    steps: dict[str, Step] = field(default_factory=dict)
    plots: list[Plot] = field(default_factory=list)
    axes: dict[str, AxisDraft | None] = field(default_factory=dict)
    """By name; None while it is being made, and where it is broken."""
    seed_axis: list[Axis | None] = field(default_factory=list)
    seeds: Declared | None = None
    moments: dict[str, dict[int | float, Place]] = field(default_factory=dict)
    """For each training, epochs that `.at(epoch=...)` asks for."""
    epochs: tuple[tuple[int | float, ...], Place] | None = None
    """The labels of the axis `epoch`, and where they were first given."""
    built: dict[tuple[Declared, str], Value | None] = field(default_factory=dict)
    """What a name stands for, by the kind wanted; None where that is broken."""
    drafts: dict[Declared, Draft | None] = field(default_factory=dict)
    files: dict[str, PythonFile] = field(default_factory=dict)
    """Files of the user's Python, by absolute path."""
    _stack: list[tuple[Declared, Place]] = field(default_factory=list)

    def description(self, made: Step | Component) -> Description:
        """What is known about the component of a step, or about one inside a step."""
        name = made.component if isinstance(made, Step) else made.name
        if made.code is not None:
            return self.files[made.code.path].components[name]
        return self.catalogue.components[made.kind, name]

    @contextmanager
    def within(self, declared: Declared, place: Place) -> Iterator[None]:
        """While what `declared` stands for is being found; a name met again is a cycle."""
        names = [other for other, _ in self._stack]
        if declared in names:
            chain = self._stack[names.index(declared) + 1 :]
            self.faults.fail(
                "cycle",
                f"`{declared.full}` is defined by itself",
                declared.place,
                note="what this is depends on itself" if chain else "its own value mentions it",
                also=(
                    *((where, f"by way of `{other.full}`") for other, where in chain),
                    (place, f"and here on `{declared.full}` again"),
                ),
                once=frozenset(names[names.index(declared) :]),
            )
        self._stack.append((declared, place))
        try:
            yield
        finally:
            self._stack.pop()
