"""Every dataset component against what its decorator says; a new file is covered without an edit here."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
import pytest
import torch

from gendsl.catalogue.description import Description
from gendsl_runtime import components
from gendsl_runtime.data import Dataset, Split

CATALOGUE = components.catalogue()
SMALL = {"train": 12, "held_back": 4, "test": 6, "share": 0.5, "target": "y", "side": 14}
"""Values that keep it small, for parameters of these names that are numbers, or that have no default."""
ITS_OWN = {"mazes": {"side": 9}, "few_classes": {"train": 4}}
"""Values that one component alone wants."""
TABLE = "x,word,y\n" + "".join(f"{i},{'ab'[i % 2]},{i % 3}\n" for i in range(30))


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, Any]:
    """A file for each component that reads one, by its suffix."""
    folder = tmp_path_factory.mktemp("files")
    (folder / "small.csv").write_text(TABLE)
    np.savez(folder / "small.npz", x=np.random.default_rng(0).standard_normal((30, 3)), y=np.arange(30) % 3)
    return {path.suffix[1:]: path for path in folder.iterdir()}


def sources() -> dict[str, Dataset]:
    """What transformations are given: pictures, vectors and tokens of classes."""
    chance = np.random.default_rng(0)

    def split(count: int, shape: tuple[int, ...], vocabulary: int | None) -> Split:
        if vocabulary is None:
            inputs = torch.from_numpy(chance.standard_normal((count, *shape)).astype(np.float32))
        else:
            inputs = torch.from_numpy(chance.integers(0, vocabulary, (count, *shape)))
        return Split(inputs, torch.from_numpy(chance.integers(0, 3, count)))

    sizes = {"train": 20, "held_back": 8, "test": 10}
    kinds = {"image": ((2, 4, 4), None), "vector": ((5,), None), "tokens": ((6,), 9)}
    return {
        kind: Dataset(
            {name: split(count, shape, vocabulary) for name, count in sizes.items()},
            task="classification",
            shape=shape,
            outputs=3,
            vocabulary=vocabulary,
        )
        for kind, (shape, vocabulary) in kinds.items()
    }


def build(name: str, files: dict[str, Any], source: Dataset | None = None, **more: Any) -> Dataset:
    """The dataset of a component with small parameters."""
    function, known = components.load("dataset", name), CATALOGUE.find("dataset", name)
    arguments = dict(more)
    for parameter in known.parameters.values():
        if parameter.type.name == "InputFile":
            arguments[parameter.python] = files[name]
        elif parameter.type.name == "Share" and not parameter.required:
            continue
        elif parameter.name in SMALL and (parameter.required or parameter.type.is_integer):
            arguments[parameter.python] = small(name, parameter.name)
    return function(*() if source is None else (source,), **arguments)


def small(name: str, parameter: str) -> Any:
    return ITS_OWN.get(name, SMALL).get(parameter, SMALL[parameter])


def cases() -> list[tuple[str, str]]:
    """Each dataset, and each transformation on each source."""
    found = []
    for name in CATALOGUE.names("dataset"):
        known = CATALOGUE.find("dataset", name)
        fitting = ["image", "vector"] if "numbers" in known.needs else list(sources())
        fitting = ["image"] if "image" in known.needs else fitting
        found += [(name, source) for source in (fitting if "like" in known.facts else [""])]
    return found


def fact(known: Description, name: str, arguments: dict[str, Any], source: Dataset | None) -> Any:
    """A static fact: a literal, the value of the parameter it names, or that of the source it is like."""
    value = known.facts.get(name)
    if value is None and known.facts.get("like") and source is not None:
        return getattr(source, name)

    def resolved(item: Any) -> Any:
        if isinstance(item, str) and item in known.parameters:
            return arguments[known.parameters[item].python]
        return item

    if not isinstance(value, list):
        return resolved(value)
    kept = source.shape if source is not None and known.facts.get("like") else value
    return tuple(old if side is None else resolved(side) for side, old in zip(value, kept, strict=True))


@pytest.mark.parametrize(("name", "kind"), cases())
def test_facts_hold(name, kind, files):
    known, source = CATALOGUE.find("dataset", name), sources().get(kind)
    data = build(name, files, source).checked(name)
    arguments = bound(name, files, source)
    assert data.task == (fact(known, "task", arguments, source) or data.task)
    shape = fact(known, "shape", arguments, source) or data.shape
    assert len(data.shape) == len(shape)
    assert all(side in (None, own) for side, own in zip(shape, data.shape, strict=True))
    outputs = fact(known, "outputs", arguments, source)
    assert data.outputs == (prod(data.shape) if outputs == "shape" else outputs or data.outputs)
    tokens = known.facts.get("inputs") == "tokens" if source is None else source.vocabulary is not None
    assert (data.vocabulary is not None) == tokens
    promised = {name: len(split) for name, split in source.splits.items()} if source else {}
    splits = dict(known.facts.get("splits") or {})
    promised = dict.fromkeys(promised) if "*" in splits else promised
    splits.pop("*", None)
    for split, size in splits.items():
        promised[split] = arguments[size] if isinstance(size, str) else size
    # A split whose size is not known before the run may turn out empty, and is then not there.
    assert {split for split, size in promised.items() if size} <= set(data.splits) <= set(promised)
    for split, found in data.splits.items():
        assert promised[split] in (None, len(found))


def bound(name: str, files: dict[str, Any], source: Dataset | None) -> dict[str, Any]:
    """The arguments `build` gives, with defaults."""
    caught: dict[str, Any] = {}
    function: Callable[..., Any] = components.load("dataset", name)
    for parameter in inspect.signature(function).parameters.values():
        caught[parameter.name] = parameter.default
    for parameter in CATALOGUE.find("dataset", name).parameters.values():
        if parameter.name in SMALL and (parameter.required or parameter.type.is_integer):
            caught[parameter.python] = small(name, parameter.name)
    return caught


@pytest.mark.parametrize(("name", "kind"), cases())
def test_two_builds_agree_to_the_bit_and_inputs_stay(name, kind, files):
    source = sources().get(kind)
    before = source.pack() if source else b""
    one, other = build(name, files, source), build(name, files, source)
    assert one.pack() == other.pack()
    assert Dataset.unpack(one.pack()).pack() == one.pack()
    assert source is None or source.pack() == before


@pytest.mark.parametrize(("name", "kind"), cases())
def test_seeds_change_the_data(name, kind, files):
    known = CATALOGUE.find("dataset", name)
    if "seed" not in known.parameters:
        pytest.skip("no chance in it")
    one, other = (build(name, files, sources().get(kind), seed=seed) for seed in (0, 1))
    assert one.pack() != other.pack()


def test_the_catalogue_reads_every_file():
    assert not [fault for fault in CATALOGUE.faults if "/datasets/" in fault.source.path]
    assert len(CATALOGUE.names("dataset")) >= 14
