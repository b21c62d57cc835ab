"""Claims that hold a share against a number that no share can reach."""

from __future__ import annotations

from gendsl.check import results
from gendsl.check.scope import Given, World
from gendsl.spec import Number, Quantity, Statistic, Value, Where

WITHIN = ("mean", "median", "lowest", "highest", "quantile")
"""Statistics whose result lies where their values lie."""


def bounded(world: World, sides: tuple[tuple[Given, results.Result], tuple[Given, results.Result]]) -> None:
    """Refuses a share beside a literal below 0 or above 1: such a claim is decided before anything is run."""
    for (given, one), (place, other) in (sides, sides[::-1]):
        number = other.value
        if not (other.is_literal and isinstance(number, Number) and _is_share(world, one.value)):
            continue
        if 0 <= number.value <= 1:
            continue
        is_percent = "%" in place.text
        found = f"{100 * number.value:g}%" if is_percent else f"{number.value:g}"
        help = None if is_percent or not 1 < number.value <= 100 else f"write `{number.value:g}%`"
        world.faults.fail(
            "out-of-range",
            "a share is from 0% to 100%: nothing could decide this claim otherwise",
            place.place,
            note=f"found {found}",
            also=((given.place, "this is a share"),),
            help=help,
        )


def _is_share(world: World, value: Value) -> bool:
    match value:
        case Quantity(step=step, name=name):
            return name in world.description(world.steps[step]).facts.get("shares", ())
        case Where(subject=subject):
            return _is_share(world, subject)
        case Statistic(name="fraction"):
            return True
        case Statistic(name=name, values=(first, *_)):
            return name in WITHIN and _is_share(world, first)
    return False
