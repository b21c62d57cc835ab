"""Why the results of a step are there or not: the nearest earlier result, and the fields in which it differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from gendsl.plan import Plan
from gendsl_runtime.changes import Change
from gendsl_runtime.recipe import Recipe, difference, place_of
from gendsl_runtime.states import CACHED, CHANGED, DAMAGE, FAILED, NEW, PERHAPS, StepState
from gendsl_runtime.store import Store
from gendsl_runtime.store.faults import told
from gendsl_runtime.store.index import chosen

LOOKED_AT = 100
"""Nodes of a step that are compared with earlier results; of more, so many evenly spread."""
EARLIER = 2_000
"""Earlier results that they are compared with, the latest ones."""


@dataclass(frozen=True)
class Near:
    """An earlier result: what it was computed for, when (seconds since 1970), and how long that took."""

    experiment: str
    step: str
    created: float
    seconds: float
    host: str
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Reason:
    """Nodes of a step that are as they are for one reason."""

    mark: str
    nodes: list[int]
    near: Near | None = None
    changes: list[tuple[Change, ...]] = field(default_factory=list)
    """The fields that differ from the nearest earlier result: the same paths for all, one entry for each node."""
    lines: Mapping[str, str] = field(default_factory=dict)
    """Where parts of user code stand now: `function normalise` at `nets.py:41`."""
    said: str = ""
    """Why it failed, or what was damaged."""


def reasons(plan: Plan, state: StepState, store: Store, nodes: Sequence[int]) -> list[Reason]:
    """Why those nodes of a step are stored or to be computed, folded by reason."""
    stored = [i for i in nodes if state.marks[i] == CACHED]
    missing = [i for i in nodes if state.marks[i] != CACHED]
    return [*_stored(state, store, stored), *_missing(plan, state, store, _spread(missing))]


def _spread(nodes: Sequence[int]) -> list[int]:
    if len(nodes) <= LOOKED_AT:
        return list(nodes)
    return [nodes[k * len(nodes) // LOOKED_AT] for k in range(LOOKED_AT)]


def _stored(state: StepState, store: Store, nodes: Sequence[int]) -> list[Reason]:
    """One reason for each experiment and step that the results were computed for."""
    query = (
        "SELECT recipe, coalesce(experiment, ''), step, r.created, seconds, host FROM results r"
        " JOIN origins o ON o.id = r.origin LEFT JOIN plans p ON p.id = r.plan WHERE recipe IN ({})"
    )
    keys = {state.step.recipe_key(i): i for i in nodes}
    with told(store.path):
        rows = {key: Near(*rest) for key, *rest in chosen(store.index, query, list(keys))}  # type: ignore[arg-type]
    found: dict[tuple[str, str], Reason] = {}
    for i in nodes:
        near = rows.get(state.step.recipe_key(i))
        name = (near.experiment, near.step) if near else ("", "")
        found.setdefault(name, Reason(CACHED, [], near)).nodes.append(i)
    return list(found.values())


def _missing(plan: Plan, state: StepState, store: Store, nodes: Sequence[int]) -> list[Reason]:
    recipe, earlier = Recipe.of(plan), list(_earlier(store, state.step.step.kind)) if nodes else []
    failed = store.failed([state.step.recipe_key(i) for i in nodes])
    sets = [frozenset(near.fields.items()) for near in earlier]
    found: dict[tuple[object, ...], Reason] = {}
    for i in nodes:
        if state.marks[i] in (FAILED, DAMAGE):
            said = failed.get(state.step.recipe_key(i), ("", ""))[1]
            found.setdefault((said,), Reason(state.marks[i], [], said=said)).nodes.append(i)
            continue
        own = recipe.fields(state.step.name, state.step.coordinate(i))
        near = _nearest(own, state.step.name, earlier, sets)
        changed = difference(near.fields, own) if near else ()
        mark = CHANGED if near else PERHAPS if state.marks[i] == PERHAPS else NEW
        name = near and (near.experiment, near.step)
        reason = found.setdefault(
            (name, *(change.path for change in changed)), Reason(mark, [], near, lines=recipe.lines)
        )
        reason.nodes.append(i)
        reason.changes.append(changed)
    return list(found.values())


def _nearest(
    own: Mapping[str, str], step: str, earlier: Sequence[Near], sets: Sequence[frozenset[tuple[str, str]]]
) -> Near | None:
    """The earlier result that differs in the fewest fields; of several one of the same step, then the latest."""
    if not earlier:
        return None
    items = frozenset(own.items())
    best = min(range(len(earlier)), key=lambda k: (len(items ^ sets[k]), earlier[k].step != step, k))
    is_alike = earlier[best].fields.get("component") == own["component"]
    return earlier[best] if is_alike else None


def _earlier(store: Store, kind: str) -> Iterator[Near]:
    """The latest results of a kind, with their fields."""
    with told(store.path):
        rows = store.index.execute(
            "SELECT p.id, content, experiment, step, place, r.created, seconds, host FROM results r"
            " JOIN plans p ON p.id = r.plan JOIN origins o ON o.id = r.origin WHERE kind = ?"
            " ORDER BY p.id DESC, place DESC LIMIT ?",
            (kind, EARLIER),
        ).fetchall()
    recipes: dict[int, Recipe | None] = {}
    for plan, content, experiment, step, place, created, seconds, host in rows:
        if plan not in recipes:
            recipes[plan] = _read(content)
        recipe = recipes[plan]
        if recipe is not None and step in recipe.spec.steps:
            fields = recipe.fields(step, place_of(recipe.spec, step, place))
            yield Near(experiment, step, created, seconds, host, fields)


def _read(content: str) -> Recipe | None:
    try:
        return Recipe.read(content)
    except (ValueError, KeyError, TypeError):
        return None  # written by another version, which this one cannot read
