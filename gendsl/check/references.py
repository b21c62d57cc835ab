"""Values that are other declarations: datasets, runs, splits, scores, axes, nested components."""

from __future__ import annotations

from dataclasses import replace
from typing import NoReturn

from gendsl import tree
from gendsl.catalogue.types import COMPONENTS, Type, described
from gendsl.check import components, drafts, facts, moments, names, sweeps, values
from gendsl.check.faults import Broken
from gendsl.check.scope import Declared, Given, World
from gendsl.check.slots import Slot, mismatch, shape
from gendsl.spec import Choice, Quantity, Split, Use, Value


def component(world: World, given: Given, want: Type, slot: Slot) -> Value:
    """A dataset, model, optimizer, schedule or loss: picked here, or by name."""
    kinds = drafts.kinds_of(want)
    draft = drafts.called(world, given, kinds)
    if draft is not None:
        return components.built(world, draft, step=slot.step)
    if names.chain(given.expr) is None:
        mismatch(world, given, want, slot)
    return _by_name(world, given, want, slot, kinds)


def _by_name(world: World, given: Given, want: Type, slot: Slot, kinds: list[str]) -> Value:
    others = [name for kind in kinds for name in world.catalogue.names(kind)]
    declared, rest = names.find(world, given, legal=kinds, others=others, expected=described(want))
    if not rest and declared.word in kinds:
        return bound(world, declared, given)
    if not rest and declared.word == "sweep":
        return sweeps.coordinate(world, declared, want, slot.by_name(given.place))
    if not rest and declared.word in ("param", "let"):
        assert declared.given is not None
        return through(world, declared, declared.given, want, slot.by_name(given.place))
    _wrong(world, declared, rest, given, described(want))


def through(world: World, declared: Declared, given: Given, want: Type, slot: Slot) -> Value:
    """A component that a `let` or `param` stands for: made once, however often it is mentioned."""
    key = (declared, want.name)
    if key not in world.built:
        world.built[key] = None
        with world.within(declared, given.place):
            inner = replace(slot, step=declared.full)
            world.built[key] = values.value(world, given, want, inner)
    found = world.built[key]
    if found is None:
        # Either broken, or met again while it is being made.
        with world.within(declared, given.place):
            raise Broken
    return found


def _wrong(
    world: World, declared: Declared, rest: tuple[tree.Name, ...], given: Given, expected: str
) -> NoReturn:
    if rest and declared.word not in names.VALUES:
        world.faults.fail(
            "wrong-kind",
            f"`{given.text}` is not {expected}",
            given.place,
            also=((declared.place, f"`{declared.name}` is {names.A_WORD[declared.word]}"),),
        )
    names.wrong_kind(world, declared, given.place, expected=expected)


def bound(world: World, declared: Declared, given: Given | None = None) -> Value:
    """What a declared dataset, model, optimizer or training stands for."""
    key = (declared, declared.word)
    place = given.place if given else declared.place
    if key in world.built:
        found = world.built[key]
        if found is None:
            with world.within(declared, place):
                raise Broken
        return found
    world.built[key] = None
    draft = drafts.of(world, declared, place)
    with world.within(declared, place):
        if isinstance(draft, drafts.Draft):
            made = components.built(world, draft, step=declared.full, caption=declared.caption)
        elif declared.word not in TYPE_OF:
            word = names.A_WORD[declared.word]
            note = f"found {shape(draft.expr)}"
            world.faults.fail("wrong-type", f"{word} is picked among components", draft.place, note=note)
        else:
            want = Type(TYPE_OF[declared.word])
            slot = Slot(f"`{declared.full}`", declared.full)
            made = values.value(world, draft, want, slot)
    world.built[key] = made
    return made


TYPE_OF = {"train": "Runs"} | {kind: type_ for type_, kind in COMPONENTS.items()}


def _stood_for(world: World, declared: Declared, given: Given, want: Type, slot: Slot) -> Value | None:
    """What a `let` or `param` stands for, or the value of an axis; None for any other declaration."""
    if declared.word == "sweep":
        return sweeps.coordinate(world, declared, want, slot.by_name(given.place))
    if declared.word in ("param", "let") and declared.given is not None:
        with world.within(declared, given.place):
            return values.value(world, declared.given, want, slot.by_name(given.place))
    return None


def runs(world: World, given: Given, want: Type, slot: Slot) -> Value:
    """A training run, or its state at an epoch: `clean.at(epoch=10)`."""
    expr = given.expr
    if isinstance(expr, tree.Call) and isinstance(expr.callee, tree.Dot) and expr.callee.key.id == "at":
        return moments.moment(world, given, expr, slot)
    if names.chain(expr) is None:
        mismatch(world, given, want, slot)
    declared, rest = names.find(world, given, legal=["train"], expected="a training run")
    if not rest and declared.word == "train":
        return bound(world, declared, given)
    if not rest and (found := _stood_for(world, declared, given, want, slot)) is not None:
        return found
    if rest and rest[-1].id == "at":
        world.faults.fail(
            "wrong-type", "`at` takes epochs", given.place, help=f"write `{given.text}(epoch=10)`"
        )
    _wrong(world, declared, rest, given, "a training run")


def split(world: World, given: Given, want: Type, slot: Slot) -> Value:
    """A split: one of the data at hand by its bare name, or that of a dataset, `rings.test`."""
    if names.chain(given.expr) is None:
        mismatch(world, given, want, slot)
    expr = given.expr
    known = slot.splits or ()
    if (
        isinstance(expr, tree.Name)
        and known
        and expr.id not in given.scope.names | dict.fromkeys(given.scope.broken)
    ):
        world.faults.fail(
            "unknown-split",
            f"the data has no split `{expr.id}`",
            given.place,
            note=f"it has {', '.join(known)}",
            also=slot.also,
            help=names.meant(expr.id, [*known, *names.visible(given.scope, names.VALUES)]),
        )
    declared, rest = names.find(world, given, legal=["dataset"], others=known, expected="a split")
    if not rest and (found := _stood_for(world, declared, given, want, slot)) is not None:
        return found
    if len(rest) == 1 and declared.word == "dataset":
        return _split_of(world, declared, rest[0], given)
    help = f"write `{given.text}.test`" if declared.word == "dataset" and not rest else None
    names.wrong_kind(world, declared, given.place, expected="a split", help=help)


def _split_of(world: World, declared: Declared, name: tree.Name, given: Given) -> Split:
    dataset = bound(world, declared, given)
    known = facts.splits(world, dataset)
    if known is not None and name.id not in known and name.id != "fit":
        world.faults.fail(
            "unknown-split",
            f"`{declared.full}` has no split `{name.id}`",
            given.spot(name.span),
            note=f"it has {', '.join(known)}",
            also=((declared.place, f"`{declared.name}` is declared here"),),
            help=names.meant(name.id, known),
        )
    return Split(dataset=dataset, name=name.id)


def scores(world: World, given: Given, want: Type, slot: Slot) -> Value:
    """One number for each training example, from an analysis: `scores.el2n`."""
    if names.chain(given.expr) is None:
        mismatch(world, given, want, slot)
    declared, rest = names.find(world, given, legal=["analysis"], expected=described(want))
    if declared.word in ("param", "let") and not rest and declared.given is not None:
        with world.within(declared, given.place):
            return values.value(world, declared.given, want, slot.by_name(given.place))
    if declared.word != "analysis":
        names.wrong_kind(world, declared, given.place, expected=described(want))
    found = quantity(world, declared, rest, given)
    if len(found.axes) != 1:
        message = f"{slot.what} takes one number for each training example"
        note = (
            "this quantity is a single number"
            if not found.axes
            else f"this varies along {', '.join(found.axes)}"
        )
        world.faults.fail("wrong-kind", message, given.place, note=note, also=slot.also)
    return found


def quantity(world: World, declared: Declared, rest: tuple[tree.Name, ...], given: Given) -> Quantity:
    """A quantity of an analysis; the first it gives where none is named."""
    use = bound(world, declared, given)
    assert isinstance(use, Use)
    gives = components.description(world, use.step).gives
    name = rest[0].id if rest else next(iter(gives))
    if name not in gives or len(rest) > 1:
        wrong = rest[-1] if len(rest) > 1 else rest[0]
        world.faults.fail(
            "unknown-quantity",
            f"`{declared.full}` gives no `{wrong.id}`",
            given.spot(wrong.span),
            note=f"it gives {', '.join(gives)}",
            also=((declared.place, f"`{declared.name}` is declared here"),),
            help=names.meant(wrong.id, gives),
        )
    return Quantity(step=use.step, name=name, unit=gives[name].unit, axes=gives[name].axes)


def axis_name(world: World, given: Given, want: Type, slot: Slot) -> Value:
    """The name of an axis: `over=seed`."""
    path = names.chain(given.expr)
    if path is None:
        mismatch(world, given, want, slot)
    if [name.id for name in path] == ["epoch"] and "epoch" not in given.scope.names:
        # Where a run is wrong, its `at` was not understood, and says nothing here either.
        if world.epochs is None and ".at(" not in given.place.source.text:
            help = "give the run several epochs: `fit.at(epoch=[0, 1, 10])`"
            world.faults.fail("missing-axis", "nothing here varies along `epoch`", given.place, help=help)
        return Choice(name="epoch")
    others = ("epoch",) if world.epochs else ()
    declared, rest = names.find(world, given, legal=["sweep", "seeds"], others=others, expected="an axis")
    if rest or declared.word not in ("sweep", "seeds"):
        names.wrong_kind(world, declared, given.place, expected="an axis")
    return Choice(name="seed" if declared.word == "seeds" else sweeps.draft(world, declared).name)
