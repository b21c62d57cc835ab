"""Tables written by hand, and hostile ones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_iris

from gendsl_runtime.data import table
from gendsl_runtime.datasets.csv import csv
from gendsl_runtime.problem import Problem

SMALL = """\
id,size,colour,grade
1,2.5,red,b
2,3.5,blue,a
3,-1e1,red,b
4,0,green,c
"""


@pytest.fixture
def file(tmp_path):
    """Writes text or bytes to a file; returns its path."""

    def write(content):
        path = tmp_path / "data.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def whole(path, **parameters):
    """The table as one split in the order of the file."""
    data = csv(path=path, train=1.0, test=0.0, standardise=False, **parameters)
    split, order = data.split("train"), np.argsort(data_order(len(data.split("train"))))
    return data, split.inputs[order].tolist(), split.targets[order].tolist()


def data_order(rows):
    from gendsl_runtime.data.splitting import parts

    return parts(rows, train=rows, held_back=0, test=0, seed=0, source="")["train"]


def test_a_small_table_by_hand(file):
    data, inputs, targets = whole(file(SMALL), target="grade", ignore=["id"])
    # size, then blue, green, red
    assert inputs == [[2.5, 0, 0, 1], [3.5, 1, 0, 0], [-10, 0, 0, 1], [0, 0, 1, 0]]
    assert targets == [1, 0, 1, 2]
    assert (data.task, data.shape, data.outputs) == ("classification", (4,), 3)


def test_numbers_can_be_categories_and_targets_numbers(file):
    data, inputs, targets = whole(
        file(SMALL), target="size", task="regression", ignore=["colour", "grade"], categorical=["id"]
    )
    assert inputs == np.eye(4).tolist()
    assert targets == [[2.5], [3.5], [-10.0], [0.0]]
    assert data.outputs == 1


def test_numeric_classes_are_in_numerical_order(file):
    _, _, targets = whole(file("x,y\n" + "".join(f"0,{y}\n" for y in (10, 9, 100, 9))), target="y")
    assert targets == [1, 0, 2, 0]


@pytest.mark.parametrize(
    "text",
    [
        SMALL.replace("\n", "\r\n"),
        "\ufeff" + SMALL,
        SMALL.replace("red", '"red"').replace(",", " , ").replace('"', ""),
        "\n" + SMALL.replace("\n", "\n\n"),
    ],
)
def test_line_ends_marks_spaces_and_empty_lines_change_nothing(file, text):
    assert whole(file(text), target="grade")[1:] == whole(file(SMALL), target="grade")[1:]


def test_other_separators(file):
    expected = whole(file(SMALL), target="grade")[1:]
    for separator, mark in (("semicolon", ";"), ("tab", "\t")):
        path = file(SMALL.replace(",", mark))
        assert whole(path, target="grade", separator=separator)[1:] == expected


def test_iris_against_scikit_learn(file):
    iris = load_iris()
    header = ",".join(iris.feature_names) + ",species"
    rows = [
        ",".join(map(str, row)) + f",{iris.target_names[label]}" for row, label in zip(iris.data, iris.target)
    ]
    _, inputs, targets = whole(file("\n".join([header, *rows])), target="species")
    assert (np.array(inputs) == iris.data.astype(np.float32)).all()
    assert targets == iris.target.tolist()


def test_rows_with_missing_values_are_left_out_on_request(file):
    path = file(SMALL + "5,,red,a\n6,1,NA,b\n7,2,red,?\n,3,red,a\n")
    _, inputs, _ = whole(path, target="grade", missing="drop", ignore=["id"])
    assert len(inputs) == 5
    assert inputs[-1] == [3, 0, 0, 1]


def test_splits_are_disjoint_shares_and_scaled_by_the_training_set(file):
    path = file("x,y\n" + "".join(f"{x},{x % 2}\n" for x in range(100)))
    data = csv(path=path, target="y", train=0.7, held_back=0.1, test=0.2, standardise=False)
    assert {name: len(split) for name, split in data.splits.items()} == {
        "train": 70,
        "held_back": 10,
        "test": 20,
    }
    seen = [x for split in data.splits.values() for x in split.inputs[:, 0].tolist()]
    assert sorted(seen) == list(range(100))
    scaled = csv(path=path, target="y", train=0.7, held_back=0.1, test=0.2)
    train = data.split("train").inputs.double()
    expected = (data.split("test").inputs - train.mean()) / train.std(correction=0)
    np.testing.assert_allclose(scaled.split("test").inputs, expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("text", "parameters", "message"),
    [
        ("", {}, "empty"),
        ("\n\n", {}, "empty"),
        ("x,y\n", {}, "no rows"),
        ("1,2\n3,4\n", {}, "line 1: the first line holds numbers"),
        ("x,x,y\n1,2,3\n", {}, "line 1, column `x`: the name stands for two columns"),
        ("x,,y\n1,2,3\n", {}, "place 2 of 3 has no name"),
        ("x,y\n1,2\n1,2,3\n", {}, "line 3: 3 values, and there are 2 columns"),
        ('x,y\n1,2\n"1,2\n1,2\n', {}, "line 3: not valid CSV"),
        ("x;y\n1;2\n", {}, "only one column"),
        ("x,y\n1,2\n", {"target": "z"}, "no column `z`"),
        ("x,y\n1,2\n", {"ignore": ["size"]}, "no column `size`"),
        ("x,y\n1,2\n", {"ignore": ["x"]}, "no column is left"),
        ("x,y\n1,2\n", {"ignore": ["y"]}, "column `y`: the target is also left out"),
        ("x,y\n1,a\n,b\n", {}, "line 3, column `x`: the value is missing"),
        ("x,y\n,a\nNA,b\n", {"missing": "drop"}, "every row has a missing value"),
        ("x,y\n1,a\n2,b\n3 kg,b\n", {}, "line 4, column `x`: `3 kg` is not a number"),
        ("x,y\n1,a\n2,a\n", {}, "column `y`: every row is of the same class"),
        ("x,y\n1,a\n2,3\n", {"task": "regression"}, "line 2, column `y`: `a` is not a number"),
        ("x,y\n1e39,a\n2,b\n", {}, "line 2, column `x`: 1e39 is too large"),
        ("x,y\n" + "".join(f"{i},{i}.5\n" for i in range(99)), {}, "column `y`: 99 different values"),
        ("x,y\n" + "".join(f"w{i},{i % 2}\n" for i in range(101)), {}, "column `x`: 101 different words"),
        (b"x,y\n1,2\n\xff,3\n", {}, "line 3: not UTF-8"),
        (b"x,y\n1,\0\n", {}, "line 2: holds a zero byte"),
        ("x,y\n1,a\n2,b\n", {"train": 0.9, "test": 0.2}, "add up to 110%"),
        ("x,y\n1,a\n2,b\n", {"train": 0.3}, "30% of the 2 rows"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(file, text, parameters, message):
    with pytest.raises(Problem) as caught:
        csv(path=file(text), **{"target": "y", **parameters})
    assert message in caught.value.message
    assert caught.value.code == "bad-data"
    assert caught.value.help


def test_files_that_cannot_be_read(tmp_path, monkeypatch, file):
    for path, message in ((tmp_path / "none.csv", "no such file"), (tmp_path, "is a directory")):
        with pytest.raises(Problem, match=message):
            csv(path=path, target="y")
    monkeypatch.setattr(table, "LARGEST", 10)
    with pytest.raises(Problem, match="at most 0 MB"):
        csv(path=file(SMALL), target="grade")


def test_a_misspelt_column_is_suggested(file):
    with pytest.raises(Problem) as caught:
        csv(path=file(SMALL), target="grades")
    assert caught.value.help == "did you mean `grade`?"


CELLS = st.one_of(
    st.sampled_from(["", "1", "2.5", "-3e4", "1e999", "nan", "x", "y", "NA", '"', '""', '"a,b"', "٣", "1_0"]),
    st.text(max_size=4),
)
TEXTS = st.lists(st.lists(CELLS, max_size=4).map(",".join), max_size=8).map("\n".join)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    content=st.one_of(
        TEXTS.map(lambda text: ("x,y\n" + text).encode("utf-8", "surrogatepass")),
        TEXTS.map(lambda text: text.encode("utf-8", "surrogatepass")),
        st.binary(max_size=60),
    ),
    task=st.sampled_from(["classification", "regression"]),
    missing=st.sampled_from(["refuse", "drop"]),
)
def test_hostile_files_give_a_dataset_or_a_problem(file, content, task, missing):
    try:
        csv(path=file(content), target="y", task=task, missing=missing).checked("csv")
    except Problem as problem:
        assert problem.code == "bad-data"
