"""The spec at the end: what is not used, what `--only` leaves, checkpoints, the axes."""

from __future__ import annotations

from gendsl import tree
from gendsl.check import figures, names, reach, sweeps
from gendsl.check.faults import Broken, Place
from gendsl.check.scope import Declared, World
from gendsl.source import Source, Span
from gendsl.spec import Along, Axis, Claim, Items, Number, Spec, Step, Value

UNUSED = ("param", "let", "sweep", "dataset", "model", "optimizer", "import")
"""What is pointless to declare without using it."""


def unused(world: World) -> None:
    """Warns of declarations that nothing uses; `--set` or a preset may still speak of them."""
    for declared in dict.fromkeys(world.main.names.values()):
        if declared.word not in UNUSED or _is_used(world, declared):
            continue
        thing = f"the axis `{declared.full}`" if declared.word == "sweep" else f"`{declared.full}`"
        world.faults.report(
            "unused-name",
            f"nothing uses {thing}",
            declared.place,
            note="what varies must be an argument of something" if declared.word == "sweep" else "",
            severity="warning",
        )


def _is_used(world: World, declared: Declared) -> bool:
    if declared.word != "sweep":
        return declared.is_used
    axis = world.axes.get(sweeps.name_of(declared))
    return axis is None or axis.typed[axis.part_of(declared.name) or 0] is not None


def with_checkpoints(world: World) -> None:
    """Each training keeps the states that `.at(epoch=...)` asks for."""
    for name, wanted in world.moments.items():
        step = world.steps[name]
        budget = step.arguments.get("budget")
        if isinstance(budget, Number) and budget.unit == "epochs":
            for epoch, place in wanted.items():
                if epoch > budget.value:
                    world.faults.report(
                        "out-of-range",
                        f"`{name}` is trained for {budget.value} epochs, and this asks for epoch {epoch}",
                        place,
                    )
        known = step.arguments.get("checkpoints")
        items = list(known.items) if isinstance(known, Items) else []
        new = [Number(value=epoch, unit="epochs") for epoch in wanted]
        merged = [*items, *(number for number in new if number not in items)]
        arguments = {**step.arguments, "checkpoints": Items(items=tuple(sorted(merged, key=_epoch)))}
        world.steps[name] = step.model_copy(update={"arguments": arguments})


def _epoch(value: Value) -> float:
    return value.value if isinstance(value, Number) else 0.0


def spec(
    world: World,
    head: dict[str, object],
    parameters: dict[str, Value],
    claims: list[Claim],
    show: tuple[str, ...],
    *,
    preset: str | None,
    only: tuple[str, ...],
) -> Spec:
    """The checked experiment."""
    steps, kept_claims, plots = world.steps, tuple(claims), tuple(world.plots)
    if only:
        steps, kept = _only(world, only, claims)
        kept_claims = tuple(claim for claim in claims if claim.name in kept)
        plots = tuple(plot for plot in plots if plot.name in kept)
    names_ = {*steps, *(claim.name for claim in kept_claims), *(plot.name for plot in plots)}
    return Spec(
        **head,
        path=world.main.source.path,
        text=world.main.source.text,
        parameters=parameters,
        preset=preset,
        axes=_axes(world, steps),
        steps=steps,
        claims=kept_claims,
        plots=plots,
        show=tuple(name for name in (show or _everything(world)) if name in names_),
        captions=_captions(world),
    )


def _axes(world: World, steps: dict[str, Step]) -> dict[str, Axis]:
    """Axes that steps vary along or take together, in file order; the replicates are always there, and last."""
    mentioned = {axis for step in steps.values() for axis in step.axes}
    taken = (
        value for step in steps.values() for value in step.arguments.values() if isinstance(value, Along)
    )
    mentioned = {*mentioned, *(value.axis for value in taken)} - {"seed"}
    mentioned |= {"seed"} if world.seeds is not None else set()
    return {name: sweeps.finished(world, name) for name in reach.ordered(world, mentioned)}


def _everything(world: World) -> tuple[str, ...]:
    return tuple(d.full for d in world.main.names.values() if d.word in figures.SHOWN)


def _captions(world: World) -> dict[str, str]:
    """Captions of what is neither step, claim, plot nor axis."""
    words = ("param", "let", "model", "optimizer", "report", "preset")
    found = (d for d in world.main.names.values() if d.word in words and d.caption)
    return {d.full: d.caption for d in found}


def _only(world: World, only: tuple[str, ...], claims: list[Claim]) -> tuple[dict[str, Step], set[str]]:
    """Steps that the names kept need, and the names of claims and plots that these steps are enough for."""
    needs = {
        name: _needed_by(world, [*step.arguments.values()]) | {name} for name, step in world.steps.items()
    }
    needs |= {claim.name: _needed_by(world, [claim.left, claim.right]) for claim in claims}
    needs |= {plot.name: _needed_by(world, [*plot.arguments.values()]) for plot in world.plots}
    for name in only:
        if name not in needs:
            _unknown(world, name, list(needs))
    wanted = set().union(*(needs[name] for name in only))
    steps = {name: step for name, step in world.steps.items() if name in wanted}
    return steps, {name for name, needed in needs.items() if needed <= steps.keys()}


def _needed_by(world: World, values: list[Value]) -> set[str]:
    return set().union(*(reach.steps_of(world, value) for value in values))


def _unknown(world: World, name: str, known: list[str]) -> None:
    if name in world.main.broken:
        raise Broken
    world.faults.fail(
        "unknown-setting",
        f"there is no dataset, run, analysis, claim or plot `{name}`",
        Place(Source(name, "--only"), Span(0, len(name))),
        help=names.meant(name, known),
    )


def lets(world: World) -> None:
    """A `let` that nothing uses is still looked at, as far as its names go."""
    for declared in world.main.names.values():
        if declared.word == "let" and not declared.is_used and isinstance(declared.node, tree.Form):
            world.faults.report(
                "wrong-form", f"`let` takes a value: `let {declared.name} = ...`", declared.place
            )
