"""Against counts by hand, and against labels nobody needs."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from gendsl_runtime.analyses.prediction.disagreement import disagreement
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Groups


def test_counts_of_all_pairs(make_runs):
    runs = make_runs((0, 1, 2, 3), is_shared=True, test=37)
    found = disagreement(Groups((runs,), ("a", "b", "c", "d")), over="seed")
    inputs, _ = runs.split("test")
    classes = np.stack([runs.select([k]).outputs(inputs[k : k + 1])[0].argmax(0).numpy() for k in range(4)])
    for first, second in combinations(range(4), 2):
        expected = np.mean(classes[first] != classes[second])
        assert found["pair"][0][first, second] == found["pair"][0][second, first] == expected
    pairs = [np.mean(classes[a] != classes[b]) for a, b in combinations(range(4), 2)]
    assert found["rate"][0] == pytest.approx(np.mean(pairs), rel=1e-15)
    two = disagreement(Groups((runs.select([3, 1]),), (3, 1)), over="seed")
    assert two["rate"][0] == found["pair"][0][1, 3]
    assert found["error"][0] == pytest.approx(float(runs.error("test").mean()))
    assert list(found["first"]) == list(found["second"]) == ["a", "b", "c", "d"]


def test_one_run_and_other_examples_are_refused(make_runs):
    with pytest.raises(Problem, match="there is one along `seed`"):
        disagreement(Groups((make_runs((0,)),), (0,)), over="seed")
    with pytest.raises(Problem, match="other examples") as told:
        disagreement(Groups((make_runs((0, 1)),), (0, 1)), over="seed")
    assert told.value.code == "different-examples"


def test_a_split_of_unequal_sizes_is_refused(make_runs):
    runs = make_runs((0, 1))
    short = runs.data[1].with_splits(test=runs.data[1].splits["test"].take(np.arange(7)))
    with pytest.raises(Problem, match="from 7 to 20 examples"):
        disagreement(Groups((replace(runs, data=(runs.data[0], short)),), (0, 1)), over="seed")
