"""Agreement against all pairs of runs."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from gendsl_runtime.analyses.examples.agreement import agreement
from gendsl_runtime.analyses.prediction.disagreement import disagreement
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Groups


def test_all_pairs(make_runs):
    runs = make_runs(seeds=tuple(range(7)), is_shared=True, classes=4, test=530)
    groups = Groups((runs,), tuple(range(7)))
    given = agreement(groups, over="seed")
    answers = runs.outputs(runs.split("test")[0]).argmax(1).numpy()
    pairs = [answers[a] == answers[b] for a, b in combinations(range(7), 2)]
    np.testing.assert_allclose(given["agreement"][0], np.mean(pairs, axis=0), rtol=1e-14)
    majority = [np.bincount(column).max() / 7 for column in answers.T]
    np.testing.assert_allclose(given["majority"][0], majority, rtol=1e-15)
    np.testing.assert_allclose(given["right"][0], (answers == runs.split("test")[1][0].numpy()).mean(0))
    assert given["mean"][0] == pytest.approx(1 - disagreement(groups, over="seed")["rate"][0], rel=1e-12)


def test_refusals(make_runs):
    with pytest.raises(Problem, match="there is one along `seed`"):
        agreement(Groups((make_runs(seeds=(0,)),), (0,)), over="seed")
    with pytest.raises(Problem, match="other examples"):
        agreement(Groups((make_runs(),), (0, 1, 2)), over="seed")
