"""The state of a run during training: `clean.at(epoch=[0, 1, 10])`."""

from __future__ import annotations

from gendsl import tree
from gendsl.catalogue.types import SCALARS, Type
from gendsl.check import facts, names, numbers, sweeps, values
from gendsl.check.faults import Place
from gendsl.check.scope import Given, World
from gendsl.check.slots import Slot
from gendsl.spec import Coordinate, Items, Moment, Number, Value

EPOCH = SCALARS["Epochs"]


def moment(world: World, given: Given, call: tree.Call, slot: Slot) -> Moment:
    """The run at an epoch, or along the axis `epoch` for a list; each run keeps a checkpoint there."""
    assert isinstance(call.callee, tree.Dot)
    run = values.value(world, given.at(call.callee.base), Type("Runs"), slot)
    epochs = [argument for argument in call.arguments if argument.key and argument.key.id == "epoch"]
    for argument in call.arguments:
        if argument not in epochs or len(call.arguments) > 1:
            place = given.spot(argument.key.span if argument.key else argument.span)
            help = names.meant(argument.key.id, ["epoch"]) if argument.key else f"write `epoch={given.text}`"
            world.faults.fail("unknown-argument", "`at` takes one argument, `epoch`", place, help=help)
    if not epochs:
        world.faults.fail(
            "missing-argument", "`at` needs an epoch", given.place, help="write `.at(epoch=10)`"
        )
    written = given.at(epochs[0].value)
    epoch, wanted = _epochs(world, written)
    for step in facts.trainings(world, run):
        world.moments.setdefault(step, {}).update(dict.fromkeys(wanted, written.place))
    return Moment(run=run, epoch=epoch)


def _epochs(world: World, given: Given) -> tuple[Value, list[int | float]]:
    """The value of the argument, and every epoch that it takes."""
    slot = Slot("`epoch` of `at`", "epoch")
    if not isinstance(given.expr, tree.List | tree.Range):
        value = values.value(world, given, EPOCH._replace(others=(Type("List", items=EPOCH),)), slot)
    else:
        value = values.value(world, given, Type("List", items=EPOCH), slot)
    match value:
        case Items(items=items):
            labels = [item.value for item in items if isinstance(item, Number)]
            if len(labels) < len(items) or not labels:
                world.faults.fail("wrong-type", "`epoch` of `at` is a list of fixed epochs", given.place)
            _axis(world, tuple(labels), given.place)
            return Coordinate(axis="epoch"), labels
        case Number(value=epoch):
            return value, [epoch]
        case Coordinate(axis=axis):
            labels_ = sweeps.finished(world, axis).values
            return value, [label.value for label in labels_ if isinstance(label, Number)]
        case _:
            return value, [found.value for _, found in numbers.along(world, value)]


def _axis(world: World, labels: tuple[int | float, ...], place: Place) -> None:
    """The axis `epoch` is one for the whole file."""
    if "epoch" in world.main.names:
        world.faults.fail(
            "duplicate-name",
            "`at` with several epochs makes an axis `epoch`, and that name is taken",
            place,
            also=((world.main.names["epoch"].place, "declared here"),),
        )
    if world.epochs is not None and world.epochs[0] != labels:
        world.faults.fail(
            "conflicting-epochs",
            "the axis `epoch` has other labels elsewhere in this file",
            place,
            also=((world.epochs[1], "there it runs over these"),),
            help="use one list in both places, by way of a `let`",
        )
    if world.epochs is None:
        if len(set(labels)) < len(labels):
            world.faults.fail("duplicate-label", "an epoch is on this axis twice", place)
        world.epochs = (labels, place)
