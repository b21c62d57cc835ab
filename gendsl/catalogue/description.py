"""What is known about a component without running it."""

from __future__ import annotations

from typing import Any, NamedTuple

from gendsl.catalogue.types import Type
from gendsl.quantity import base_of


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
    is_own: bool = False
    """Whether it is the user's, and `file` one of the project."""

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
    unit, _, axes = text.partition("[")
    names = axes.rstrip("] ").replace(",", " ").split()
    return Gives(base_of(unit.strip()), tuple(names))


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
