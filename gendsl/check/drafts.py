"""Components as written, before their values are looked at: here `extends` and `--set` change fields."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple, NoReturn

from gendsl import tree
from gendsl.catalogue.description import Description, Parameter
from gendsl.catalogue.types import COMPONENTS, Type
from gendsl.check import names, python
from gendsl.check.faults import Broken, Place
from gendsl.check.scope import Declared, Edit, Given, World


class Field(NamedTuple):
    """What a parameter is given; a Draft once something inside it was changed."""

    value: Given | Draft
    key: Place


@dataclass(frozen=True)
class Draft:
    """A component with the arguments that are written down. `place` is where it is named."""

    description: Description
    place: Place
    fields: dict[str, Field]

    @property
    def what(self) -> str:
        return self.description.name


def kinds_of(want: Type) -> list[str]:
    """The kinds of component that a type accepts."""
    return [COMPONENTS[t.name] for t in (want, *want.others) if t.name in COMPONENTS]


def called(world: World, given: Given, kinds: list[str]) -> Draft | None:
    """The draft of `sgd(lr=0.1)` or a bare `sgd`; None where the expression names something declared."""
    expr = given.expr
    if isinstance(expr, tree.Group):
        return called(world, given.at(expr.inner), kinds)
    callee = expr.callee if isinstance(expr, tree.Call) else expr
    found = python.component(world, given.at(callee), kinds)
    if found is not None:
        fields = _arguments(world, given, expr, found) if isinstance(expr, tree.Call) else {}
        return Draft(found, given.spot(callee.span), fields)
    if isinstance(expr, tree.Name) and expr.id not in given.scope.names and expr.id not in given.scope.broken:
        description = _component(world, expr, kinds)
        return description and Draft(description, given.spot(expr.span), {})
    if not isinstance(expr, tree.Call):
        return None
    if not isinstance(expr.callee, tree.Name):
        _called_by_path(world, given, expr.callee, kinds)
        return None
    description = _component(world, expr.callee, kinds)
    if description is None:
        _not_a_component(world, given, expr.callee, kinds)
    return Draft(description, given.spot(expr.callee.span), _arguments(world, given, expr, description))


def _called_by_path(world: World, given: Given, callee: tree.Expr, kinds: list[str]) -> None:
    """`common.net(width=64)`: what another file declares is already made."""
    path = names.chain(callee)
    if path is None or path[-1].id == "at":
        return
    declared, _ = names.find(world, given.at(callee), legal=kinds, expected=names.A_WORD[kinds[0]])
    message = (
        f"`{given.at(callee).text}` is {names.A_WORD[declared.word]} already made: it takes no arguments"
    )
    world.faults.fail("not-callable", message, given.spot(callee.span))


def _component(world: World, name: tree.Name, kinds: list[str]) -> Description | None:
    return next((d for kind in kinds if (d := world.catalogue.find(kind, name.id)) is not None), None)


def _not_a_component(world: World, given: Given, callee: tree.Name, kinds: list[str]) -> NoReturn:
    expected = " or ".join(names.A_WORD[kind] for kind in kinds)
    place = given.spot(callee.span)
    if callee.id in given.scope.broken:
        raise Broken
    if other := world.catalogue.kinds_of(callee.id):
        world.faults.fail(
            "wrong-kind", f"`{callee.id}` is {names.A_WORD[other[0]]}, expected {expected}", place
        )
    declared = given.scope.names.get(callee.id)
    if declared is not None:
        declared.is_used = True
        world.faults.fail(
            "not-callable",
            f"`{callee.id}` is {names.A_WORD[declared.word]} already made: it takes no arguments",
            place,
            also=((declared.place, f"`{callee.id}` is declared here"),),
            help=f"change fields of a copy: `{declared.word} other extends {callee.id} {{ ... }}`"
            if declared.word in COMPONENTS.values()
            else None,
        )
    candidates = [name for kind in kinds for name in world.catalogue.names(kind)]
    world.faults.fail(
        "unknown-component",
        f"there is no {kinds[0]} called `{callee.id}`",
        place,
        help=names.meant(callee.id, candidates) or f"`gen list {kinds[0]}` shows all there are",
        once=(kinds[0], callee.id),
    )


def _arguments(world: World, given: Given, call: tree.Call, description: Description) -> dict[str, Field]:
    fields: dict[str, Field] = {}
    positional = iter(description.positional)
    with world.faults.gathered() as gathering:
        for argument in call.arguments:
            with gathering.part():
                if argument.key is None:
                    parameter = next(positional, None)
                    if parameter is None:
                        _too_many(world, given.spot(argument.span), description, call=given.place)
                    key = given.spot(argument.span)
                else:
                    key = given.spot(argument.key.span)
                    parameter = _parameter(world, description, argument.key.id, key)
                if parameter.name in fields:
                    _twice(world, parameter.name, key, fields[parameter.name].key)
                fields[parameter.name] = Field(given.at(argument.value), key)
    return fields


def _too_many(world: World, place: Place, description: Description, *, call: Place) -> NoReturn:
    free = [p.name for p in description.parameters.values() if not p.positional]
    world.faults.fail(
        "unnamed-argument",
        f"this argument of `{description.name}` needs its name",
        place,
        help=f"write `{free[0]}=...`" if len(free) == 1 else f"`{description.name}` has {listed(free)}",
        once=call,
    )


def _twice(world: World, name: str, place: Place, first: Place) -> NoReturn:
    world.faults.fail(
        "duplicate-field",
        f"`{name}` is given twice",
        place,
        also=((first, "first given here"),),
        help="remove one of them",
    )


def _parameter(world: World, description: Description, name: str, place: Place) -> Parameter:
    parameter = description.parameters.get(name)
    if parameter is not None:
        return parameter
    is_form = description.kind == "train"
    owner = "a training run" if is_form else f"`{description.name}`"
    world.faults.fail(
        "unknown-field" if is_form else "unknown-argument",
        f"{owner} has no {'field' if is_form else 'argument'} `{name}`",
        place,
        help=names.meant(name, description.parameters)
        or (
            f"it has {listed(description.parameters)}" if description.parameters else "it takes no arguments"
        ),
    )


def listed(words: Iterable[str]) -> str:
    """Names in backticks with commas."""
    return ", ".join(f"`{word}`" for word in words)


def edited(world: World, draft: Draft, path: tuple[tree.Name, ...], edit: Edit) -> Draft:
    """A copy in which the field at `path` has a new value."""
    key = edit.key(path[0])
    parameter = _parameter(world, draft.description, path[0].id, key)
    if len(path) == 1:
        return replace(draft, fields={**draft.fields, parameter.name: Field(edit.value, key)})
    inner = _opened_field(world, draft, parameter, key)
    changed = edited(world, inner, path[1:], edit)
    return replace(draft, fields={**draft.fields, parameter.name: Field(changed, key)})


def _opened_field(world: World, draft: Draft, parameter: Parameter, place: Place) -> Draft:
    """The component in a field, so that something inside it can be changed."""
    kinds = kinds_of(parameter.type)
    field = draft.fields.get(parameter.name)
    if isinstance(field, Field) and isinstance(field.value, Draft):
        return field.value
    if field is not None and kinds:
        assert isinstance(field.value, Given)
        return opened(world, field.value, kinds, place)
    if kinds and isinstance(parameter.default, str):
        description = world.catalogue.find(kinds[0], parameter.default)
        if description is not None:
            return Draft(description, place, {})
    reason = (
        "is not a component: it has no fields" if not kinds else "is not given, so nothing in it can change"
    )
    world.faults.fail("no-such-field", f"`{parameter.name}` {reason}", place)


def opened(world: World, given: Given, kinds: list[str], place: Place) -> Draft:
    """The component that an expression stands for; `place` is where a change in it was asked for."""
    draft = called(world, given, kinds)
    if draft is not None:
        return draft
    if isinstance(given.expr, tree.Group):
        return opened(world, given.at(given.expr.inner), kinds, place)
    if names.chain(given.expr) is not None:
        declared, rest = names.find(world, given, legal=kinds, expected=names.A_WORD[kinds[0]])
        if not rest and declared.word in ("param", "let") and declared.given is not None:
            with world.within(declared, given.place):
                return opened(world, declared.given, kinds, place)
        if not rest and declared.word in kinds:
            return base(world, declared, given.place)
        if declared.word != "sweep" or rest:
            names.wrong_kind(world, declared, given.place, expected=names.A_WORD[kinds[0]])
    world.faults.fail(
        "no-such-field",
        "a field cannot be changed inside what varies along an axis",
        place,
        also=((given.place, "this is not one component"),),
    )


def base(world: World, declared: Declared, place: Place) -> Draft:
    """What `extends` starts from: the component a declaration picks, with its own changes."""
    found = of(world, declared, place)
    if isinstance(found, Draft):
        return found
    return opened(world, found, [declared.word], place)


def of(world: World, declared: Declared, place: Place) -> Draft | Given:
    """What a declaration of a component says; a Given where it only names another thing."""
    if declared in world.drafts:
        known = world.drafts[declared]
        if known is None:
            # Either broken, or met again while it is being made.
            with world.within(declared, place):
                raise Broken
        return known
    world.drafts[declared] = None
    with world.within(declared, place):
        found = _declared(world, declared)
    if isinstance(found, Given):
        del world.drafts[declared]
    else:
        world.drafts[declared] = found
    return found


def _declared(world: World, declared: Declared) -> Draft | Given:
    node = declared.node
    if isinstance(node, tree.Form):
        draft = _form(world, declared, node)
    else:
        assert declared.given is not None
        if declared.word == "train":
            _not_by_equals(world, declared, declared.given)
        found = called(world, declared.given, [declared.word])
        if found is None:
            if not declared.edits:
                return declared.given
            found = opened(world, declared.given, [declared.word], declared.edits[0].place)
        draft = found
    for edit in declared.edits:
        draft = edited(world, draft, edit.path, edit)
    return draft


def _not_by_equals(world: World, declared: Declared, given: Given) -> NoReturn:
    is_name = names.chain(given.expr) is not None
    help = f"write `train {declared.name} extends {given.text} {{ ... }}`" if is_name else None
    message = "a training run is a form, filled in with braces"
    world.faults.fail(
        "wrong-form", message, declared.place, help=help or f"write `train {declared.name} {{ ... }}`"
    )


def _form(world: World, declared: Declared, node: tree.Form) -> Draft:
    draft = _base_of(world, declared, node)
    seen: dict[tuple[str, ...], Place] = {}
    with world.faults.gathered() as gathering:
        for entry in node.entries:
            with gathering.part():
                edit = Edit(entry.path, declared.scope.given(entry.value))
                path = tuple(name.id for name in entry.path)
                for other, first in seen.items():
                    # `optimizer.lr = 1` and then `optimizer = adam()` would silently lose the first.
                    if other[: len(path)] == path:
                        _twice(world, ".".join(path), edit.place, first)
                seen[path] = edit.place
                draft = edited(world, draft, entry.path, edit)
    return draft


def _base_of(world: World, declared: Declared, node: tree.Form) -> Draft:
    if node.base is None:
        description = world.catalogue.find("train", "train")
        if declared.word != "train" or description is None:
            candidates = world.catalogue.names(declared.word)
            example = f"`{declared.word} {declared.name} = {candidates[0]}(...)`" if candidates else None
            world.faults.fail(
                "wrong-form",
                f"{names.A_WORD[declared.word]} is picked with `=`; braces fill in a `train`",
                Place(declared.scope.source, node.kind_span),
                help=example and f"write {example}",
            )
        return Draft(description, declared.place, {})
    given = declared.scope.given(node.base)
    other, rest = names.find(world, given, legal=[declared.word], expected=names.A_WORD[declared.word])
    if other.word != declared.word or rest:
        names.wrong_kind(world, other, given.place, expected=names.A_WORD[declared.word])
    draft = base(world, other, given.place)
    return replace(draft, place=given.place)
