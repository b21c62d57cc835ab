"""Arrays that were saved, broken and hostile ones."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gendsl_runtime.datasets import npz as module
from gendsl_runtime.datasets.npz import npz
from gendsl_runtime.problem import Problem

CHANCE = np.random.default_rng(0)
IMAGES = CHANCE.integers(0, 256, (10, 5, 4), dtype=np.uint8)
LABELS = np.array([3, 7, 3, 3, 5, 7, 5, 3, 5, 7])


@pytest.fixture
def saved(tmp_path):
    """Saves arrays; returns the path."""

    def save(**arrays):
        path = tmp_path / "data.npz"
        np.savez(path, **arrays)
        return path

    return save


def test_one_pair_is_cut_into_disjoint_splits(saved):
    data = npz(path=saved(x=IMAGES, y=LABELS), train=0.6, held_back=0.1, test=0.3, divide_by=255)
    assert (data.shape, data.outputs, data.task) == ((1, 5, 4), 3, "classification")
    assert [len(split) for split in data.splits.values()] == [6, 1, 3]
    known = {(image / np.float32(255)).tobytes(): label for image, label in zip(IMAGES, (LABELS - 3) // 2)}
    seen = [
        (row[0].tobytes(), int(label))
        for split in data.splits.values()
        for row, label in zip(split.inputs.numpy(), split.targets)
    ]
    assert dict(seen) == known


def test_splits_that_are_given_are_taken_as_they_are(saved):
    x = CHANCE.standard_normal((10, 3))
    y = CHANCE.standard_normal((10, 2))
    path = saved(a_train=x[:6], a_test=x[6:], b_train=y[:6], b_test=y[6:], other=np.array([None]))
    data = npz(path=path, inputs="a", targets="b", task="regression", train=0.1)
    assert np.array_equal(data.split("train").inputs, x[:6].astype(np.float32))
    assert np.array_equal(data.split("test").targets, y[6:].astype(np.float32))
    assert set(data.splits) == {"train", "test"}
    assert (data.shape, data.outputs) == ((3,), 2)


def test_classes_may_be_texts(saved):
    data = npz(path=saved(x=np.eye(4), y=np.array(["b", "a", "c", "b"])), train=1.0, test=0.0)
    assert sorted(data.split("train").targets.tolist()) == [0, 1, 1, 2]


X, Y = np.zeros((4, 2)), np.arange(4) % 2


@pytest.mark.parametrize(
    ("arrays", "parameters", "message"),
    [
        ({"y": Y}, {}, "no array `x`"),
        ({"x": X}, {}, "no array `y`"),
        ({"x_train": X, "y_train": Y, "x_test": X}, {}, "no array `y_test`"),
        ({"x": X, "y": Y[:3]}, {}, "4 inputs in `x` and 3 targets in `y`"),
        ({"x": np.zeros(4), "y": Y}, {}, "`x` has the shape (4,)"),
        ({"x": np.zeros((4, 0)), "y": Y}, {}, "`x` has the shape (4, 0)"),
        ({"x": X.astype(str), "y": Y}, {}, "not numbers"),
        ({"x": X + 1j, "y": Y}, {}, "not numbers"),
        ({"x": X, "y": np.array([{}, 1, 2, 3])}, {}, "Python objects"),
        ({"x": X, "y": Y / 2}, {}, "classes are whole numbers"),
        ({"x": X, "y": X}, {}, "classes are whole numbers"),
        ({"x": X, "y": Y.astype(str)}, {"task": "regression"}, "a regression has numbers"),
        ({"x": np.where(X == 0, np.nan, X), "y": Y}, {}, "example 0 of `x` is missing"),
        ({"x": X + 1e39, "y": Y}, {}, "too large for single precision"),
        ({"x": X, "y": X + np.inf}, {"task": "regression"}, "example 0 of `y` is missing"),
        ({"x_train": X, "y_train": Y, "x_test": X[:, :1], "y_test": Y}, {}, "the inputs of `test`"),
        ({"x": X, "y": Y}, {"train": 1.0}, "add up to 130%"),
    ],
)
def test_what_does_not_fit_is_refused(saved, arrays, parameters, message):
    with pytest.raises(Problem) as caught:
        npz(path=saved(**arrays), **parameters)
    assert message in caught.value.message
    assert caught.value.code == "bad-data"


def test_files_that_are_none(tmp_path, saved, monkeypatch):
    np.save(tmp_path / "plain.npy", X)
    (tmp_path / "text.npz").write_text("hello")
    for name, message in (
        ("plain.npy", "no file of arrays"),
        ("text.npz", "no file"),
        ("no.npz", "no such file"),
    ):
        with pytest.raises(Problem, match=message):
            npz(path=tmp_path / name)
    monkeypatch.setattr(module, "LARGEST", 100)
    with pytest.raises(Problem, match="are read"):
        npz(path=saved(x=X, y=Y))


class Trap:
    """Makes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


def test_a_pickle_is_never_loaded(tmp_path, saved):
    sprung = tmp_path / "sprung"
    path = saved(x=np.array([Trap(sprung)] * 4), y=Y)
    with pytest.raises(Problem, match="Python objects, which are never loaded"):
        npz(path=path)
    path.write_bytes(pickle.dumps(Trap(sprung)))
    with pytest.raises(Problem, match="no file of arrays"):
        npz(path=path)
    assert not sprung.exists()


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(place=st.integers(0, 10**6), mask=st.integers(1, 255), cut=st.booleans())
def test_damaged_files_give_a_dataset_or_a_problem(saved, place, mask, cut):
    path = saved(x=X, y=Y)
    content = bytearray(path.read_bytes())
    place %= len(content)
    content[place] ^= mask
    path.write_bytes(content[:place] if cut else content)
    try:
        npz(path=path).checked("npz")
    except Problem as problem:
        assert problem.code == "bad-data"


def test_tokens_stay_whole_numbers(saved):
    tokens = CHANCE.integers(0, 300, (10, 6), dtype=np.int16)
    data = npz(path=saved(x=tokens, y=LABELS), vocabulary=300, train=0.6, test=0.4, divide_by=7).checked(
        "npz"
    )
    assert (data.vocabulary, data.shape) == (300, (6,))
    known = {row.astype(np.int64).tobytes() for row in tokens}
    assert known == {row.numpy().tobytes() for split in data.splits.values() for row in split.inputs}


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros((10, 3)), "tokens are whole numbers"),
        (np.zeros((10, 3, 2), dtype=np.int64), "tokens are whole numbers"),
        (np.full((10, 3), 5), "outside 0 to 4"),
        (np.full((10, 3), -1), "outside 0 to 4"),
    ],
)
def test_what_are_no_tokens_is_told(saved, x, message):
    with pytest.raises(Problem, match=message):
        npz(path=saved(x=x, y=LABELS), vocabulary=5)
