"""What a run would train, in which stacks, and what that would take: told before anything is computed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from gendsl.check.facts import Facts, made
from gendsl.plan import Plan
from gendsl_runtime import components
from gendsl_runtime.data import Dataset
from gendsl_runtime.data.phantom import held, outline, phantom
from gendsl_runtime.execute.perform import outlined
from gendsl_runtime.problem import Problem
from gendsl_runtime.states import CACHED, StepState
from gendsl_runtime.store import Damaged, Store
from gendsl_runtime.train.fuse import cut, groups, known_cost
from gendsl_runtime.train.member import Member
from gendsl_runtime.train.speed import Speed

MOST = 20_000
"""Of more trainings than this nothing is told: looking at each of them would take longer than a plan should."""
VOCABULARY = 256
"""Stands for a number of tokens that is not known; it hardly matters to how long a step takes."""


@dataclass(frozen=True)
class Stacks:
    """Stacks of one static key; those with equal names and sizes are told as one line."""

    names: tuple[str, ...]
    """The declarations whose trainings are in them."""
    members: int
    """In the largest one."""
    count: int
    seconds: float | None
    """Of all of them, one after the other; None where something about their data is not known yet."""
    bytes: float | None
    """Of the largest one in memory."""
    is_most: bool
    """Whether they may end sooner: they have a stop condition."""

    @property
    def kind(self) -> tuple[tuple[str, ...], int, bool]:
        return self.names, self.members, self.seconds is None


class Forecast:
    """Looks at the trainings of a plan that are still to be computed."""

    def __init__(self, plan: Plan, told: Mapping[str, StepState], store: Store, speed: Speed) -> None:
        self._plan, self._told, self._store, self._speed = plan, told, store, speed
        self._data: dict[bytes, Dataset | None] = {}

    def stacks(self) -> list[Stacks]:
        """The stacks, folded: equal ones of one static key are one entry, and so are those of other keys with
        the same names and members."""
        members, names, unknown = [], [], []
        for name, index in self._trainings():
            member = self._member(name, index)
            if member is None:
                unknown.append(name)
            else:
                members.append(member)
                names.append(name)
        found = [
            self._stacks([members[row] for row in rows], [names[row] for row in rows])
            for rows in groups(members)
        ]
        found += [
            Stacks((name,), 1, unknown.count(name), None, None, is_most=False)
            for name in dict.fromkeys(unknown)
        ]
        self._speed.save()
        return list(_folded(found))

    def _trainings(self) -> Iterator[tuple[str, int]]:
        """Trainings to be computed; equal ones are computed once."""
        seen: set[bytes] = set()
        for name, state in self._told.items():
            if state.step.step.kind == "train":
                for index, mark in enumerate(state.marks):
                    key = state.step.recipe_key(index)
                    if mark != CACHED and key not in seen:
                        seen.add(key)
                        yield name, index

    def _member(self, name: str, index: int) -> Member | None:
        step = self._plan[name]
        source, place = step.inputs(index)["dataset"]
        key = self._plan[source].recipe_key(place)
        if key not in self._data:
            self._data[key] = self._dataset(source, place)
        data = self._data[key]
        return None if data is None else outlined(step.arguments(index), data, key)

    def _dataset(self, name: str, index: int) -> Dataset | None:
        """What is known of a dataset: it is there, or its size is told by what it is made of."""
        digest = self._told[name].digests[index]
        if digest is not None:
            try:
                return outline(Dataset.unpack(self._store.read(digest)))
            except Damaged:
                return None
        facts = self._facts(name, index)
        sizes = {split: size for split, size in (facts.splits or {}).items() if size is not None}
        if facts.task not in ("classification", "regression") or len(sizes) != len(facts.splits or ()):
            return None
        shape = tuple(side for side in facts.shape or () if side is not None)
        if (
            facts.shape is None
            or len(shape) != len(facts.shape)
            or facts.outputs is None
            or "train" not in sizes
        ):
            return None
        return phantom(
            {split: int(size) for split, size in sizes.items()},
            task="classification" if facts.task == "classification" else "regression",
            shape=tuple(int(side) for side in shape),
            outputs=int(facts.outputs),
            vocabulary=VOCABULARY if facts.inputs == "tokens" else None,
        )

    def _facts(self, name: str, index: int) -> Facts:
        step = self._plan[name]
        found = components.described("dataset", step.step.component, step.step.code)
        assert found is not None, "`check` found it"
        described = found.facts
        like = described.get("like")
        base = self._facts(*step.inputs(index)[like]) if like else None
        return made(name, described, step.arguments(index), base)

    def _stacks(self, members: Sequence[Member], names: Iterable[str]) -> Stacks:
        """The stacks of one static key."""
        first, own = members[0], tuple(dict.fromkeys(names))
        try:
            cost = known_cost(first)
        except Problem:
            cost = None  # it is told where it is trained
        if cost is None:
            return Stacks(own, 1, len(members), None, None, is_most=False)
        parts = cut(range(len(members)), cost.members)
        widest = max(map(len, parts))
        seconds = sum(
            self._speed.training(first, cost, [members[row].steps for row in part], widest=widest)
            for part in parts
        )
        data = {member.data_digest: member for member in members[:widest]}
        size = widest * cost.bytes + 2 * sum(held(member.data) for member in data.values())
        is_most = any(member.stop is not None for member in members)
        return Stacks(own, widest, len(parts), seconds, size, is_most)


def _folded(found: Iterable[Stacks]) -> Iterator[Stacks]:
    alike: dict[tuple[tuple[str, ...], int, bool], list[Stacks]] = {}
    for stacks in found:
        alike.setdefault(stacks.kind, []).append(stacks)
    for several in alike.values():
        first = several[0]
        seconds = [stacks.seconds for stacks in several if stacks.seconds is not None]
        sizes = [stacks.bytes for stacks in several if stacks.bytes is not None]
        yield Stacks(
            first.names,
            first.members,
            sum(stacks.count for stacks in several),
            sum(seconds) if seconds else None,
            max(sizes) if sizes else None,
            any(stacks.is_most for stacks in several),
        )


def forecast(plan: Plan, told: Mapping[str, StepState], store: Store, speed: Speed) -> list[Stacks]:
    """The stacks of the trainings that are to be computed; none where there are too many to look at."""
    missing = sum(
        len(state.marks) - state.count(CACHED) for state in told.values() if state.step.step.kind == "train"
    )
    return Forecast(plan, told, store, speed).stacks() if missing <= MOST else []
