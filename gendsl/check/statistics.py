"""Statistics: what they reduce, and the unit of what is left."""

from __future__ import annotations

from typing import NoReturn

from gendsl import tree
from gendsl.catalogue.description import Description
from gendsl.check import components, names, results, sweeps, values
from gendsl.check.drafts import Draft, listed
from gendsl.check.scope import Given, World
from gendsl.check.slots import Slot
from gendsl.spec import Statistic, Value


def statistic(world: World, given: Given, call: tree.Call) -> results.Result:
    """`mean(x, over=seed)`, `slope(x, along=width)`: the value with those axes gone."""
    described = _description(world, given, call)
    inputs, named = _sorted(world, given, call, described)
    found: list[results.Result] = []
    with world.faults.gathered() as gathering:
        for part in inputs:
            with gathering.part():
                found.append(results.result(world, part))
    axes = frozenset().union(*(part.axes for part in found))
    reduces = described.facts["reduces"]
    ordered = _along(world, given, call, named, axes, described) if reduces == "along" else None
    over = _grid(world, given, call, named, axes) if reduces == "grid" else ()
    if reduces == "over":
        over = _over(world, given, named, axes)
    arguments = _arguments(world, given, call, described, named)
    value = Statistic(
        name=described.name,
        version=described.version,
        values=tuple(part.value for part in found),
        arguments=arguments,
        over=over,
        along=ordered,
    )
    unit = _unit(world, described, found, ordered)
    if described.facts.get("unit", "same") == "same":
        _alike(world, inputs, found)
    return results.Result(value, unit, axes - {*over, ordered or ""})


def _description(world: World, given: Given, call: tree.Call) -> Description:
    callee = call.callee
    place = given.spot(callee.span)
    if isinstance(callee, tree.Name):
        described = world.catalogue.find("statistic", callee.id)
        if described is not None:
            return described
        other = world.catalogue.kinds_of(callee.id)
        if other:
            help = None
            if other[0] == "analysis":
                help = f"declare it, `analysis a = {given.text}`, and use `a` here"
            message = f"`{callee.id}` is {names.A_WORD[other[0]]}, expected a statistic"
            world.faults.fail("wrong-kind", message, place, help=help)
        world.faults.fail(
            "unknown-component",
            f"there is no statistic called `{callee.id}`",
            place,
            help=names.meant(callee.id, world.catalogue.names("statistic"))
            or "`gen list statistic` shows all there are",
            once=("statistic", callee.id),
        )
    world.faults.fail("not-callable", "expected a statistic before the bracket", place)


Named = dict[str, tuple[tree.Name, Given]]
AXES = {"over": ("over", "along"), "along": ("along",), "grid": ("over",)}
"""The arguments that name axes, for what a statistic reduces."""


def _sorted(world: World, given: Given, call: tree.Call, described: Description) -> tuple[list[Given], Named]:
    """The values of a statistic, and its named arguments."""
    inputs: list[Given] = []
    named: Named = {}
    # Over one axis or along it is the same to a statistic that does not care for order.
    legal = [*AXES[described.facts["reduces"]], *described.parameters]
    for argument in call.arguments:
        if argument.key is None:
            inputs.append(given.at(argument.value))
            continue
        key = argument.key
        place = given.spot(key.span)
        if key.id in named:
            first = given.spot(named[key.id][0].span)
            world.faults.fail(
                "duplicate-field", f"`{key.id}` is given twice", place, also=((first, "first given here"),)
            )
        if key.id not in legal:
            _unknown(world, described, key, given, legal)
        named[key.id] = (key, given.at(argument.value))
    wanted = described.arity
    if (wanted >= 0 and len(inputs) != wanted) or not inputs:
        count = f"{wanted} result{'s' if wanted != 1 else ''}" if wanted >= 0 else "at least one result"
        world.faults.fail(
            "missing-argument" if len(inputs) < max(wanted, 1) else "unnamed-argument",
            f"`{described.name}` takes {count}",
            given.spot(call.callee.span) if len(inputs) < max(wanted, 1) else inputs[wanted].place,
            note=f"found {len(inputs)}",
        )
    return inputs, named


def _unknown(
    world: World, described: Description, key: tree.Name, given: Given, legal: list[str]
) -> NoReturn:
    if key.id == "over" and described.facts["reduces"] == "along":
        message = f"`{described.name}` goes along an axis in its order"
        help: str | None = "write `along=`"
    else:
        message = f"`{described.name}` has no argument `{key.id}`"
        help = names.meant(key.id, legal) or f"it has {listed(legal)}"
    world.faults.fail("unknown-argument", message, given.spot(key.span), help=help)


def _axis(world: World, given: Given, axes: frozenset[str], what: str) -> str:
    """The axis that `over` or `along` names; it must be there."""
    chain = names.chain(given.expr)
    if chain is None:
        world.faults.fail("wrong-type", "expected the name of an axis", given.place)
    if len(chain) == 1 and chain[0].id in axes and chain[0].id not in given.scope.names:
        return chain[0].id
    declared, rest = names.find(world, given, legal=["sweep", "seeds"], others=axes, expected="an axis")
    if rest or declared.word not in ("sweep", "seeds"):
        names.wrong_kind(world, declared, given.place, expected="an axis")
    name = "seed" if declared.word == "seeds" else sweeps.draft(world, declared).name
    if name not in axes:
        names.absent(world, name, given, axes, f"{what} does not vary along `{given.text}`")
    return name


def _over(world: World, given: Given, named: Named, axes: frozenset[str]) -> tuple[str, ...]:
    if "over" in named and "along" in named:
        place = given.spot(named["along"][0].span)
        world.faults.fail("duplicate-field", "`over` and `along` say the same here", place, help="remove one")
    if "over" not in named and "along" not in named:
        return _in_order(world, axes)
    over = named["over" if "over" in named else "along"][1]
    parts = [over.at(item) for item in over.expr.items] if isinstance(over.expr, tree.List) else [over]
    return _in_order(world, frozenset(_axis(world, part, axes, "what is reduced") for part in parts))


def _grid(world: World, given: Given, call: tree.Call, named: Named, axes: frozenset[str]) -> tuple[str, ...]:
    """The axes of a statistic that takes several as they are; the seeds are never among them."""
    over = _over(world, given, named, axes)
    if "over" not in named:
        over = tuple(axis for axis in over if axis != "seed")
    elif "seed" in over:
        world.faults.fail(
            "wrong-type",
            "seeds are no setting: each seed has its own value here",
            named["over"][1].place,
            help="take `seed` out: what is left of seeds is averaged",
        )
    if not over:
        world.faults.fail("missing-axis", "there is no axis to go over", given.spot(call.callee.span))
    return over


def _in_order(world: World, axes: frozenset[str]) -> tuple[str, ...]:
    from gendsl.check.reach import ordered

    return ordered(world, set(axes))


def _along(
    world: World, given: Given, call: tree.Call, named: Named, axes: frozenset[str], described: Description
) -> str:
    if "along" in named:
        axis = _axis(world, named["along"][1], axes, "what is reduced")
        _ordered(world, axis, named["along"][1])
        if "positive" in described.needs:
            _positive(world, axis, named["along"][1], described)
        return axis
    factors = sorted(axes - {"seed"})
    world.faults.fail(
        "missing-argument",
        f"`{described.name}` lacks `along`, the axis it goes along",
        given.spot(call.callee.span),
        help=f"add `along={factors[0]}`" if len(factors) == 1 else None,
    )


def _ordered(world: World, name: str, given: Given) -> None:
    axis = world.axes.get(name)
    if axis is not None and (axis.parts or any(isinstance(label[0], str) for label in axis.labels)):
        world.faults.fail(
            "wrong-type", f"the labels of `{name}` are not numbers: it has no order to go along", given.place
        )


def _positive(world: World, name: str, given: Given, described: Description) -> None:
    axis = world.axes.get(name)
    below = [v for label in axis.labels if not isinstance(v := label[0], str) and v <= 0] if axis else []
    if below:
        world.faults.fail(
            "out-of-range",
            f"`{described.name}` takes logarithms: `{name}` must be above 0",
            given.place,
            note=f"one of its values is {below[0]:g}",
            help=f"leave those out in the sweep, or use `slope(..., along={name})`",
        )


def _arguments(
    world: World, given: Given, call: tree.Call, described: Description, named: Named
) -> dict[str, Value]:
    found: dict[str, Value] = {}
    draft = Draft(described, given.spot(call.callee.span), {})
    for name, parameter in described.parameters.items():
        if name in named:
            slot = Slot(f"`{name}` of `{described.name}`", name)
            found[name] = values.value(world, named[name][1], parameter.type, slot)
        elif parameter.required:
            world.faults.fail("missing-argument", f"`{described.name}` lacks `{name}`", draft.place)
        else:
            found[name] = components.literal(world, parameter.default, parameter.type, draft, name)
    return found


def _alike(world: World, inputs: list[Given], found: list[results.Result]) -> None:
    """Values that are held against each other have one unit."""
    for given, part in zip(inputs[1:], found[1:], strict=True):
        if part.unit != found[0].unit:
            first = results.of_unit(found[0].unit)
            message = f"this is {results.of_unit(part.unit)}, the first is {first}"
            world.faults.fail("wrong-unit", message, given.place, also=((inputs[0].place, first),))


def _unit(world: World, described: Description, found: list[results.Result], along: str | None) -> str:
    policy, unit = described.facts.get("unit", "same"), found[0].unit
    if policy in ("1", "same", "first"):
        return "" if policy == "1" else unit
    if policy == "ratio":
        return results.combined("/", unit, found[1].unit)
    if along is None:
        return unit
    axis = world.axes.get(along)
    below = axis.units[0] if axis is not None else ("epochs" if along == "epoch" else "")
    if policy == "coordinate":
        return below
    if policy == "times":
        return results.combined("*", unit, below)
    return f"{unit or '1'}/{below}" if below else unit
