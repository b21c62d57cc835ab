"""What is computed again after an edit, and after the edit is undone: the table of docs/reliability.md.

A pipeline of six nodes: root data, data made from them by a function with a helper, a training, three analyses.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from gendsl_runtime.cli import main

SPEC = """
import "steps.py" as steps

dataset root = steps.points(train=24, note=1)
dataset shifted = steps.shifted(root)

train fit {
    model = linear()
    dataset = shifted
    optimizer = sgd(lr=0.1)
    batch = 8
    budget = 2 epochs
}

analysis acc = accuracy(fit, on=train)
analysis low = loss(fit, on=train)
analysis size = weight_norms(fit)
"""
STEPS = '''
import numpy as np
import torch

from gendsl_runtime.component import Count, dataset
from gendsl_runtime.data import Dataset, Split
from place import moved


@dataset(version=1, task="classification", shape=(2,), outputs=2, splits={"train": "train"})
def points(*, train: Count = 8, note: Count = 1) -> Dataset:
    """Points, whatever the note."""
    inputs = torch.from_numpy(np.random.default_rng(0).standard_normal((train, 2)).astype(np.float32))
    return Dataset({"train": Split(inputs, (inputs[:, 0] > 0).long())}, "classification", (2,), 2)


@dataset(version=1, like="data")
def shifted(data: Dataset) -> Dataset:
    """The same points, elsewhere."""
    split = data.split("train")
    return data.with_splits(train=Split(moved(split.inputs * 2.0), split.targets))
'''
PLACE = '''
def moved(inputs):
    """Elsewhere."""
    return inputs + 1.0
'''
EDITS = {
    "the body of a step": ("steps.py", "* 2.0", "* 3.0", 5),
    "a helper that it calls": ("place.py", "+ 1.0", "+ 2.0", 5),
    "a comment": ("steps.py", "    split =", "    # of all splits\n    split =", 0),
    "a docstring and an annotation": ("place.py", '(inputs):\n    """Else', '(inputs: object):\n    """Some', 0),
    "code of the root that gives the same": ("steps.py", "(inputs[:, 0] > 0)", "(0 < inputs[:, 0])", 1),
    "a parameter of the root that changes nothing": ("own.gen", "note=1", "note=2", 1),
    "the learning rate": ("own.gen", "lr=0.1", "lr=0.2", 4),
    "the layout of the spec and the names of steps": ("own.gen", "shifted", "elsewhere", 0),
    "the times of all files": ("", "", "", 0),
}  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pipeline")
    for name, text in {"own.gen": SPEC, "steps.py": STEPS, "place.py": PLACE}.items():
        (folder / name).write_text(text)
    return folder


def executed(place: Path, capfd: pytest.CaptureFixture[str]) -> int:
    """Nodes that the spec computes now."""
    capfd.readouterr()
    assert main(["run", str(place / "own.gen"), "--allow-python", "--store", str(place / "store")]) == 0
    out = capfd.readouterr().out
    found = re.search(r": (\d+) computed|: nothing to compute", out)
    assert found, out
    return int(found[1] or 0)


def test_an_edit_computes_what_it_reaches_and_undone_nothing(
    place: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert executed(place, capfd) == 6
    table = {}
    for edit, (name, old, new, _) in EDITS.items():
        before = {path: path.read_text() for path in place.glob("*.*") if path.is_file()}
        for path in before:
            os.utime(path)
        if name:
            text = (place / name).read_text()
            assert old in text
            is_name = edit.endswith("names of steps")
            edited = re.sub(r"(?<!\.)\bshifted\b", new, text) + "\n\n" if is_name else text.replace(old, new)
            (place / name).write_text(edited)
        after = executed(place, capfd)
        for path, text in before.items():
            path.write_text(text)
        table[edit] = after, executed(place, capfd)
    for edit, counts in table.items():
        print(f"{edit}: {counts[0]} of 6 after the edit, {counts[1]} after undoing it")
    assert table == {edit: (count, 0) for edit, (*_, count) in EDITS.items()}
