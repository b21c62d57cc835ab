"""What a plan would do with a store: which results are there, which are to be made, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gendsl.plan import Plan, PlanStep
from gendsl.spec import Spec
from gendsl_runtime.changes import Change, changes
from gendsl_runtime.store import Store
from gendsl_runtime.store.store import DAMAGED

CACHED, NEW, CHANGED, PERHAPS, DAMAGE, FAILED = "=+~?!x"
"""Marks of a node: its result is there; it was never computed; an argument of its step has changed since the
last run; only something before it has, so that it may turn out to be known; its result was there and is damaged;
it failed when last computed."""

CUT_OFFS = 20_000
"""In steps with more nodes to compute, none is looked for by the contents of its inputs."""


@dataclass(frozen=True)
class StepState:
    """The nodes of one step, in the order of the plan."""

    step: PlanStep
    digests: Sequence[str | None]
    marks: str
    changes: tuple[Change, ...] = ()

    def count(self, mark: str) -> int:
        """How many nodes have the mark."""
        return self.marks.count(mark)


def states(plan: Plan, store: Store, before: Spec | None = None) -> dict[str, StepState]:
    """The state of every node. Nothing is changed in the store, but for damaged results being set aside.

    Args:
        before: the experiment when it last ran, to tell what changed from what is new.
    """
    found: dict[str, Sequence[str | None]] = {}
    told: dict[str, StepState] = {}
    for step in plan:
        found[step.name] = _digests(step, store, found)
        told[step.name] = _state(step, store, found, before, plan.spec)
    return told


def _digests(step: PlanStep, store: Store, found: Mapping[str, Sequence[str | None]]) -> Sequence[str | None]:
    """The digest of each node that is there, by its recipe or by the contents of its inputs."""
    keys = [step.recipe_key(i) for i in range(step.count)]
    by_recipe = store.lookup(keys)
    digests = [by_recipe.get(key) for key in keys]
    missing = [i for i, digest in enumerate(digests) if digest is None]
    if len(missing) > CUT_OFFS:
        return digests

    def digest_of(name: str, index: int) -> bytes:
        digest = found[name][index]
        assert digest is not None
        return bytes.fromhex(digest)

    actions = {i: step.action_key(i, digest_of) for i in missing if not _waits(step, i, found)}
    by_action = store.lookup(actions.values())
    for i, action in actions.items():
        digests[i] = by_action.get(action)
    return digests


def _waits(step: PlanStep, index: int, found: Mapping[str, Sequence[str | None]]) -> bool:
    """Whether an input of the node is still to be computed."""
    return any(found[name][place] is None for name, place in step.inputs(index).values())


def _state(
    step: PlanStep, store: Store, found: Mapping[str, Sequence[str | None]], before: Spec | None, now: Spec
) -> StepState:
    digests = found[step.name]
    missing = [i for i, digest in enumerate(digests) if digest is None]
    old = before.steps.get(step.name) if before else None
    changed = changes(old, step.step) if old and missing else ()
    marks = [CACHED if digest is not None else NEW for digest in digests]
    if before and old and old.axes == step.axes:
        known = [set(map(str, before.axes[axis].labels)) for axis in step.axes]
        for i in missing:
            if all(str(label) in labels for label, labels in zip(_labels(step, i, now), known)):
                marks[i] = CHANGED if changed else PERHAPS if _waits(step, i, found) else NEW
    failed = store.failed([step.recipe_key(i) for i in missing])
    for i in missing if failed else ():
        if step.recipe_key(i) in failed:
            code, _ = failed[step.recipe_key(i)]
            marks[i] = DAMAGE if code == DAMAGED else FAILED
    return StepState(step, digests, "".join(marks), changed if CHANGED in marks else ())


def _labels(step: PlanStep, index: int, spec: Spec) -> list[object]:
    return [spec.axes[axis].labels[place] for axis, place in step.coordinate(index).items()]
