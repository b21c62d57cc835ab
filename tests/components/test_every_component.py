"""Every model, optimizer, schedule, loss and analysis on the smallest problem that meets its needs.

A new component file is covered as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np
import pytest
import torch

from gendsl.catalogue.types import Type
from gendsl.spec import Choice, Component, Flag, Items, Nothing, Number, Text, Value
from gendsl_runtime import components
from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.datasets.subset import subset
from gendsl_runtime.execute.perform import payloads
from gendsl_runtime.length import Length
from gendsl_runtime.network import State, joined
from gendsl_runtime.noise import noise
from gendsl_runtime.runs import Groups, Runs
from gendsl_runtime.store.payload import pack, unpack
from gendsl_runtime.train import artifact, build
from gendsl_runtime.train.fitted import Fitted
from gendsl_runtime.train.loop import fit
from gendsl_runtime.train.member import Member

CATALOGUE = components.catalogue()
SEEDS = (3, 5, 8)
FEW = {"rays": 20, "samples": 20, "neighbours": 3}
"""Parameters that buy precision with time, made small."""
DRAWN = {"memorisation", "influence", "prequential"}
"""Analyses of runs on parts that `subset` has drawn."""
GUESSED = {"guesses"}
"""Analyses of runs that were found by guessing."""


def names(kind: str) -> list[str]:
    return list(CATALOGUE.names(kind))


# --- components with their defaults, as values of a spec ----------------------------------------------------


def component(kind: str, name: str, **given: Value) -> Component:
    """A component with defaults; what has none gets the smallest value of its type."""
    known = CATALOGUE.components[kind, name]
    own = {key: value(parameter.type, parameter.default) for key, parameter in known.parameters.items()}
    return Component(kind=kind, name=name, version=known.version, arguments={**own, **given})


def value(type_: Type, default: Any) -> Value:
    """A default as a value of a spec."""
    if isinstance(default, list):
        assert type_.items is not None
        return Items(items=tuple(value(type_.items, item) for item in default))
    if default is None:
        return Nothing() if type_.optional else smallest(type_)
    if isinstance(default, bool):
        return Flag(value=default)
    if isinstance(default, str):
        kind = {"Schedule": "schedule", "Loss": "loss", "Model": "model", "Optimizer": "optimizer"}
        if type_.name in kind:
            return component(kind[type_.name], default)
        return Text(value=default) if type_.name == "Text" else Choice(name=default)
    return Number(value=default, unit=type_.unit)


def smallest(type_: Type) -> Value:
    """A value that a type without default accepts."""
    if type_.items is not None:
        return Items(items=(smallest(type_.items),))
    if type_.name == "Choice":
        return Choice(name=type_.choices[0])
    if type_.name == "Length":
        return Number(value=1, unit="epochs")
    if type_.name == "Optimizer":
        return component("optimizer", "sgd")
    if type_.name == "Model":
        return component("model", "mlp", hidden=Items(items=(Number(value=5),)))
    assert type_.is_number, f"give a default, or teach this test what a smallest {type_.name} is"
    return Number(value=1 if type_.accepts(1) else type_.low, unit=type_.unit)


def problem(shape: tuple[int, ...], task: str) -> Dataset:
    """Random data that can be learned: targets follow the first coordinate."""
    chance = np.random.default_rng(0)

    def split(count: int) -> Split:
        inputs = chance.standard_normal((count, *shape)).astype(np.float32)
        score = inputs.reshape(count, -1)[:, 0]
        targets = score[:, None] if task == "regression" else np.digitize(score, [-0.5, 0.5])
        if task == "labelling":
            places = inputs[:, 0] if len(shape) == 3 else inputs[:, :, 0]
            targets = np.digitize(places.reshape(count, -1), [-0.5, 0.5])
        return Split(torch.from_numpy(inputs), torch.from_numpy(targets))

    splits = {"train": split(24), "test": split(16)}
    return Dataset(splits, task=task, shape=shape, outputs=1 if task == "regression" else 3)


def member(data: Dataset, seed: int, **changes: Component) -> Member:
    """A short training of a small network, or of what replaces its parts."""
    small = component("model", "mlp", hidden=Items(items=(Number(value=5),)))
    thinker = component("model", "deep_thinking", width=Number(value=4), iterations=Number(value=100))
    parts = {
        "model": thinker if data.task == "labelling" else small,
        "optimizer": component("optimizer", "sgd"),
        "loss": component("loss", "mse" if data.task == "regression" else "cross_entropy"),
        **changes,
    }
    optimizer = CATALOGUE.components["optimizer", parts["optimizer"].name]
    batch = None if optimizer.facts.get("batch") == "all" else 8
    return Member(data=data, data_digest=b"0", budget=Length(3, "epochs"), batch=batch, seed=seed, **parts)


def trained(members: list[Member]) -> tuple[list[bytes], Runs]:
    """Stored results of a stack, and the stack as analyses see it."""
    fitted = fit(members)
    assert all(isinstance(one, Fitted) for one in fitted)
    stored = [artifact.pack(one) for one in fitted]
    return stored, artifact.runs(members, stored)


def bits(state: State) -> bytes:
    return pack({n: t.detach().numpy() for n, t in {**state.parameters, **state.buffers}.items()}, {})


# --- models -------------------------------------------------------------------------------------------------


def shapes(name: str) -> list[tuple[int, ...]]:
    """The smallest shapes of an example that a model takes."""
    facts = CATALOGUE.components["model", name].facts
    side = max(8, facts.get("smallest", 1))
    images = [(1, side, side), (3, side, side)]
    every = {"vector": [(4,)], "image": images, "sequence": [(5, 3), (1, 1), *images]}
    if answers(name) == "places":
        return [(5, 3), (3, 5, 5)]
    return every.get(facts.get("takes", "any"), [*every["vector"], *every["image"]])


def answers(name: str) -> str:
    return str(CATALOGUE.components["model", name].facts.get("answers", "examples"))


MODELS = [(name, shape) for name in names("model") for shape in shapes(name)]


@pytest.mark.parametrize(("name", "shape"), MODELS)
def test_model(name, shape):
    network = built(name, shape)
    state, inputs = network.init(SEEDS), torch.randn(3, 7, *shape, generator=torch.Generator().manual_seed(0))
    before = bits(state), inputs.clone()
    assert (network.shape, network.outputs) == (shape, 4)
    assert all(len(tensor) == 3 for tensor in {**state.parameters, **state.buffers}.values())
    for training in (False, True):
        chance = noise(SEEDS, device="cpu") if network.is_noisy else None
        outputs, buffers = network.apply(
            state.parameters, state.buffers, inputs, training=training, noise=chance
        )
        per_place = (prod(shape[-2:]) if len(shape) == 3 else shape[0],) if answers(name) == "places" else ()
        assert outputs.shape == (3, 4, *per_place, 7)
        assert outputs.isfinite().all()
        assert {n: b.shape for n, b in buffers.items()} == {n: b.shape for n, b in state.buffers.items()}
    assert bits(state) == before[0]
    assert torch.equal(inputs, before[1])
    assert bits(built(name, shape).init(SEEDS)) == before[0]


@pytest.mark.parametrize(("name", "shape"), MODELS)
def test_a_member_of_a_model_depends_on_its_own_seed_alone(name, shape):
    network = built(name, shape)
    state, alone = network.init(SEEDS), network.init(SEEDS[1:2])
    assert bits(state.member(1)) == bits(alone)
    assert bits(state.member(0)) != bits(alone)
    inputs = torch.randn(3, 7, *shape, generator=torch.Generator().manual_seed(0))
    together, _ = network.apply(state.parameters, state.buffers, inputs, training=False)
    own, _ = network.apply(alone.parameters, alone.buffers, inputs[1:2], training=False)
    assert torch.equal(together[1], own[0])


def built(name: str, shape: tuple[int, ...]) -> Any:
    return components.load("model", name)(shape, 4, **build.arguments(component("model", name)))


# --- optimizers, schedules, losses --------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["model", "optimizer", "loss", "schedule"])
def test_training(part):
    """Two runs agree to the bit, and a member's bits do not depend on the stack it is trained in."""
    for name in names(part):
        data, changes = problem((1, 8, 8), "classification"), {}
        if part == "schedule":
            changes["optimizer"] = component("optimizer", "sgd", schedule=component("schedule", name))
        else:
            changes[part] = component(part, name)
        if part == "loss" and CATALOGUE.components["loss", name].facts.get("needs") == "regression":
            data = problem((3,), "regression")
        if part == "model" and CATALOGUE.components["model", name].facts.get("takes") == "vector":
            data = problem((3,), "classification")
        if part == "model" and answers(name) == "places":
            data = problem((4, 1), "labelling")
        before = data.pack()
        stack = [member(data, seed, **changes) for seed in SEEDS]
        stored, runs = trained(stack)
        assert stored == trained(stack)[0], f"{name}: two runs differ"
        assert trained(stack[1:2])[0] == stored[1:2], f"{name}: the stack changes a member"
        assert data.pack() == before, f"{name}: training changed the data"
        start = runs.network.init(SEEDS)
        assert bits(runs.state) != bits(start), f"{name}: nothing was trained"


@pytest.mark.parametrize("name", names("schedule"))
@pytest.mark.parametrize("steps", [0, 1, 2, 30])
def test_schedule(name, steps):
    function = build.bound(component("schedule", name), "schedule")
    factors = function(steps, 10)
    assert factors.shape == (steps,)
    assert factors.dtype == np.float64
    assert np.isfinite(factors).all()
    assert (factors >= 0).all()
    assert (function(steps, 10) == factors).all()


@pytest.mark.parametrize("name", names("loss"))
def test_loss(name):
    needs = CATALOGUE.components["loss", name].facts.get("needs")
    for task in [needs.replace("labels", "classification")] if needs else ["classification", "regression"]:
        chance = torch.Generator().manual_seed(0)
        outputs = torch.randn(3, 4, 6, generator=chance, requires_grad=True)
        targets = torch.randint(0, 4, (3, 6), generator=chance)
        if task == "regression":
            targets = torch.randn(3, 6, 4, generator=chance)
        data = problem((2,), task or "classification")
        members = [member(data, seed, loss=component("loss", name)) for seed in SEEDS]
        function = build.loss(members, device="cpu", dtype=torch.float32)
        losses = function(outputs, targets)
        assert losses.shape == (3, 6)
        (gradient,) = torch.autograd.grad(losses.sum(), outputs)
        assert losses.isfinite().all()
        assert gradient.isfinite().all()
        alone = function.select(torch.tensor([1]))(outputs[1:2], targets[1:2])
        assert torch.equal(alone[0], losses[1])


# --- analyses -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def stacks() -> dict[str, tuple[list[Member], Runs]]:
    """A trained stack for each problem that analyses may need."""
    torch.set_num_threads(1)
    problems = {
        "plane": problem((2,), "classification"),
        "classification": problem((4,), "classification"),
        "regression": problem((4,), "regression"),
        "labelling": problem((3, 2), "labelling"),
    }
    found = {}
    for name, data in problems.items():
        members = [member(data, seed) for seed in SEEDS]
        found[name] = (members, trained(members)[1])
    return found


def cases() -> list[tuple[str, str]]:
    """Each analysis on every problem that meets its needs."""
    classes = {"classification", "labels", "numbers"}
    meets = {
        "plane": {"plane", *classes},
        "classification": classes,
        "regression": {"regression", "numbers"},
        "labelling": {"labelling", "labels", "numbers"},
    }
    return [
        (name, kind)
        for name in names("analysis")
        for kind, facts in meets.items()
        if facts_of(name) <= facts and (kind != "labelling" or facts_of(name) & {"labelling", "labels"})
    ]


def facts_of(name: str) -> set[str]:
    return set(CATALOGUE.components["analysis", name].needs)


def analysed(name: str, runs: Runs) -> Mapping[str, Any]:
    known = CATALOGUE.components["analysis", name]
    few = {key: number for key, number in FEW.items() if key in known.parameters}
    given: dict[str, Any] = {}
    if name in GUESSED:
        count = torch.tensor([12.0])
        runs = replace(runs, history=tuple({**own, "guesses": count} for own in runs.history))
    for parameter in known.parameters.values():
        if parameter.type.name == "Runs":
            given[parameter.python] = beside(runs, 100) if given else runs
        elif parameter.type.name == "Groups":
            given[parameter.python] = grouped(runs, is_drawn=name in DRAWN)
        elif parameter.type.name == "AxisName":
            given[parameter.python] = "seed"
    splits = {
        p.python: "train" for p in known.parameters.values() if p.required and p.type.name == "SplitName"
    }
    result: Mapping[str, Any] = components.load("analysis", name)(**given, **few, **splits)
    return result


def beside(runs: Runs, apart: int) -> Runs:
    """Other networks on the same data: each member depends on its own seed alone."""
    seeds = tuple(seed + apart for seed in runs.seeds)
    return replace(runs, seeds=seeds, state=runs.network.init(seeds))


def grouped(runs: Runs, *, is_drawn: bool) -> Groups:
    """For each member a group of it and two others, or of six drawn on growing parts of the data."""
    alone = [runs.select([place]) for place in range(runs.members)]
    companies = [[one, beside(one, 100), beside(one, 200)] for one in alone]
    stacks = [
        replace(company[0].repeated(3), state=joined([one.state for one in company])) for company in companies
    ]
    if is_drawn:
        shares = (0.25, 0.5, 0.75) * 2
        stacks = [
            replace(
                one.select([0, 1, 2] * 2), data=tuple(subset(one.data[0], share=share) for share in shares)
            )
            for one in stacks
        ]
        return Groups(tuple(stacks), tuple(range(6)))
    return Groups(tuple(stacks), (0, 1, 2))


def test_every_analysis_has_a_problem():
    assert {name for name, _ in cases()} == set(names("analysis"))


@pytest.mark.parametrize(("name", "kind"), cases())
def test_analysis(name, kind, stacks):
    known, (_, runs) = CATALOGUE.components["analysis", name], stacks[kind]
    before = bits(runs.state), runs.data[0].pack()
    result = analysed(name, runs)
    assert set(known.gives) <= set(result) <= {*known.gives, *known.facts.get("axes", {})}
    stored = payloads(name, result, gives=tuple(known.gives), members=runs.members)
    for one in stored:
        arrays, _ = unpack(one)
        lengths = {axis: len(arrays[axis]) for axis in known.facts.get("axes", {}) if axis in arrays}
        for quantity, given in known.gives.items():
            array = arrays[quantity]
            assert array.ndim == len(given.axes), f"{quantity} has the axes {given.axes}"
            for axis, length in zip(given.axes, array.shape):
                assert lengths.setdefault(axis, length) == length > 0, f"{quantity} along {axis}"
            assert array.dtype.kind in "fiub"
            # Errors are missing where there are no classes, recovery where nothing was right before.
            is_missing = array.dtype.kind == "f" and bool(np.isnan(array).all())
            assert kind in ("regression", "labelling") or not is_missing, f"{quantity} is always missing"
    assert (bits(runs.state), runs.data[0].pack()) == before, "an analysis leaves its runs as they are"
    again = payloads(name, analysed(name, runs), gives=tuple(known.gives), members=runs.members)
    assert again == stored, "two runs with one seed agree to the bit"


@pytest.mark.parametrize(("name", "kind"), cases())
def test_an_analysis_of_a_member_does_not_depend_on_its_stack(name, kind, stacks):
    gives, (_, runs) = tuple(CATALOGUE.components["analysis", name].gives), stacks[kind]
    together = payloads(name, analysed(name, runs), gives=gives, members=3)
    alone = payloads(name, analysed(name, runs.select([1])), gives=gives, members=1)
    assert alone[0] == together[1]
