"""The types a component's parameters may have, read from annotations."""

from __future__ import annotations

import ast
import math
from typing import NamedTuple

from gendsl.quantity import UNITS, base_of


class Type(NamedTuple):
    """What a parameter accepts.

    `name` is the annotation's own word (`Count`, `Dataset`), `Choice` for a `Literal`, `List` with `items`.
    `unit` is the base unit a number must have. `others` are further alternatives of a union.
    """

    name: str
    low: float = -math.inf
    high: float = math.inf
    open: bool = False
    """Whether `low` itself is excluded."""
    unit: str = ""
    choices: tuple[str, ...] = ()
    items: Type | None = None
    optional: bool = False
    others: tuple[Type, ...] = ()
    per_member: bool = False
    """Whether members of one stack may differ in it."""

    @property
    def is_number(self) -> bool:
        return self.name in NUMBERS

    @property
    def is_integer(self) -> bool:
        return self.name in INTEGERS

    def accepts(self, value: float) -> bool:
        """Whether a number lies in the range."""
        return (self.low < value if self.open else self.low <= value) and value <= self.high


SCALARS: dict[str, Type] = {
    "Count": Type("Count", low=1),
    "Natural": Type("Natural", low=0),
    "Integer": Type("Integer"),
    "Seed": Type("Seed", low=0),
    "Real": Type("Real"),
    "Positive": Type("Positive", low=0, open=True),
    "NonNegative": Type("NonNegative", low=0),
    "Share": Type("Share", low=0, high=1),
    "Epochs": Type("Epochs", low=0, unit="epochs"),
    "Steps": Type("Steps", low=0, unit="steps"),
    "Length": Type("Length", low=0, open=True),
}
PLAIN: dict[str, Type] = {
    "int": Type("Integer"),
    "float": Type("Real"),
    "bool": Type("Flag"),
    "str": Type("Text"),
    "Path": Type("InputFile"),
}
WORDS = ("Flag", "Text", "SplitName", "AxisName", "InputFile", "Scores", "Values", "Stop")
COMPONENTS = {
    "Dataset": "dataset",
    "Model": "model",
    "Optimizer": "optimizer",
    "Schedule": "schedule",
    "Loss": "loss",
}
"""Annotations that hold a component, and its kind."""
RUNS = ("Runs", "Groups")
"""Annotations that hold training runs: one for each result, or all along an axis for each."""
KNOWN: dict[str, Type] = {**SCALARS, **{word: Type(word) for word in (*WORDS, *COMPONENTS, *RUNS)}}
INTEGERS = frozenset({"Count", "Natural", "Integer", "Seed"})
NUMBERS = frozenset(SCALARS)


class UnknownTypeError(ValueError):
    """An annotation the language cannot read; carries its text."""


def read(annotation: ast.expr) -> Type:
    """The type an annotation stands for; raises UnknownTypeError."""
    match annotation:
        case ast.Name(id=name) if name in KNOWN:
            return KNOWN[name]
        case ast.Name(id=name) if name in PLAIN:
            return PLAIN[name]
        case ast.Constant(value=str(text)):
            return read(ast.parse(text, mode="eval").body)
        case ast.BinOp(op=ast.BitOr()):
            return _union(_alternatives(annotation))
        case ast.Subscript(value=ast.Name(id=name), slice=inside):
            return _generic(name, inside.elts if isinstance(inside, ast.Tuple) else [inside], annotation)
    raise UnknownTypeError(ast.unparse(annotation))


def _alternatives(annotation: ast.expr) -> list[ast.expr]:
    if isinstance(annotation, ast.BinOp):
        return [*_alternatives(annotation.left), *_alternatives(annotation.right)]
    return [annotation]


def _union(parts: list[ast.expr]) -> Type:
    types = [read(part) for part in parts if not (isinstance(part, ast.Constant) and part.value is None)]
    optional = len(types) < len(parts) or any(t.optional for t in types)
    return types[0]._replace(optional=optional, others=(*types[0].others, *types[1:]))


def _generic(name: str, inside: list[ast.expr], whole: ast.expr) -> Type:
    if name == "Literal":
        words = [part.value for part in inside if isinstance(part, ast.Constant)]
        if len(words) == len(inside) and all(isinstance(word, str) for word in words):
            return Type("Choice", choices=tuple(map(str, words)))
    elif name in ("list", "List", "tuple", "Sequence"):
        return Type("List", items=read(inside[0]))
    elif name == "Optional":
        return read(inside[0])._replace(optional=True)
    elif name == "PerMember":
        return read(inside[0])._replace(per_member=True)
    elif name == "Annotated":
        return _annotated(read(inside[0]), inside[1:], whole)
    raise UnknownTypeError(ast.unparse(whole))


def _annotated(inner: Type, notes: list[ast.expr], whole: ast.expr) -> Type:
    """`Annotated[Positive, "px"]` gives a unit, `Annotated[Real, "-1..1"]` a range."""
    for note in notes:
        text = note.value if isinstance(note, ast.Constant) else None
        if not isinstance(text, str):
            raise UnknownTypeError(ast.unparse(whole))
        low, dots, high = text.partition("..")
        if text in UNITS:
            inner = inner._replace(unit=base_of(text))
        elif dots:
            inner = inner._replace(low=float(low), high=float(high), open=False)
        else:
            raise UnknownTypeError(ast.unparse(whole))
    return inner


def described(type_: Type) -> str:
    """The type in words, for messages and `gen explain`: `a whole number, at least 1`."""
    if type_.name == "Choice":
        return "one of " + ", ".join(type_.choices)
    if type_.items is not None:
        return f"a list, each {described(type_.items)}"
    words = {
        "Flag": "true or false",
        "Text": "text in quotes",
        "SplitName": "a split",
        "AxisName": "an axis",
        "InputFile": "a file, its path in quotes",
        "Scores": "scores of an analysis",
        "Values": "a result: a quantity, an axis or arithmetic on them",
        "Stop": "a condition such as `train_error == 0%`",
        "Runs": "a training run",
        "Groups": "a training run, taken all along an axis",
        "Dataset": "a dataset",
        "Model": "a model",
        "Optimizer": "an optimizer",
        "Schedule": "a schedule",
        "Loss": "a loss",
        "Length": "a length in epochs or steps",
        "Share": "a share from 0 to 1",
    }
    return words.get(type_.name) or _number(type_)


def _number(type_: Type) -> str:
    words = "a whole number" if type_.is_integer else "a number"
    words += f" of {type_.unit}" if type_.unit else ""
    if type_.high < math.inf:
        return f"{words} from {type_.low:g} to {type_.high:g}"
    if type_.low > -math.inf:
        return f"{words}, {'above' if type_.open else 'at least'} {type_.low:g}"
    return words
