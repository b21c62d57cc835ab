"""The place a value goes to: what is said about it in messages, and what is known there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NoReturn

from gendsl import tree
from gendsl.catalogue.types import Type, described
from gendsl.check.faults import Place
from gendsl.check.scope import Given, World


@dataclass(frozen=True)
class Slot:
    """`what` names it in messages; `step` is what a dataset made in it is called (`poisoned.dataset`)."""

    what: str
    step: str
    splits: tuple[str, ...] | None = None
    """The splits of the dataset at hand; None where they are not known before the run."""
    used: Place | None = None
    """Where the value is mentioned by name, if it is written somewhere else."""

    def by_name(self, place: Place, step: str | None = None) -> Slot:
        """The same slot for a value that stands elsewhere."""
        return replace(self, used=self.used or place, step=step or self.step)

    def item(self, place: int) -> Slot:
        """The slot of one item of a list."""
        what = self.what if self.what.startswith("each of") else f"each of {self.what}"
        return replace(self, what=what, step=f"{self.step}.{place}")

    @property
    def also(self) -> tuple[tuple[Place, str], ...]:
        """The label that shows where a value written elsewhere is used."""
        what = (
            f"in {self.what.removeprefix('each of ')}"
            if self.what.startswith("each of")
            else f"as {self.what}"
        )
        return ((self.used, f"used here {what}"),) if self.used else ()


def mismatch(world: World, given: Given, want: Type, slot: Slot, *, help: str | None = None) -> NoReturn:
    """Fails: what is written is not of the type wanted."""
    world.faults.fail(
        "wrong-type",
        f"{slot.what} is {described(want)}",
        given.place,
        note=f"found {shape(given.expr)}",
        also=slot.also,
        help=help,
    )


def shape(expr: tree.Expr) -> str:
    """What an expression is, in words."""
    match expr:
        case tree.Number(value=value):
            return f"the number {value}"
        case tree.Quantity(value=value, unit=unit):
            return f"{value}{'' if unit == '%' else ' '}{unit}"
        case tree.Text():
            return "text"
        case tree.Constant(value=value):
            return {True: "`true`", False: "`false`", None: "`none`"}[value]
        case tree.List():
            return "a list"
        case tree.Tuple():
            return "a tuple"
        case tree.Range():
            return "a range"
        case tree.Name(id=name):
            return f"the name `{name}`"
        case tree.Call(callee=tree.Name(id=name)):
            return f"a call of `{name}`"
        case tree.Binary(op=op):
            return "arithmetic" if op in ("+", "-", "*", "/", "**") else "a condition"
        case tree.Unary(op="-", operand=operand):
            return (
                f"minus {shape(operand)}"
                if not isinstance(operand, tree.Number)
                else f"the number -{operand.value}"
            )
        case tree.Where():
            return "a `where`"
        case tree.Group(inner=inner):
            return shape(inner)
        case _:
            return "something else"
