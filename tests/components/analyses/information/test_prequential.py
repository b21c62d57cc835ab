"""Prequential code lengths against sums by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import log_softmax

from gendsl_runtime.analyses.information.prequential import prequential
from gendsl_runtime.datasets.subset import subset
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Groups
from tests.components.analyses.examples.by_parts import answering, one_hot

SHARES = (0.5, 0.125, 0.25)


def parts(seeds=(4, 4, 4), shares=SHARES):
    labels = np.random.default_rng(0).integers(0, 4, 40)
    return [subset(one_hot(labels, labels[:2], 4), share=s, seed=k) for s, k in zip(shares, seeds)], labels


def test_blocks_by_hand():
    drawn, labels = parts()
    logits = np.random.default_rng(1).standard_normal((3, 4, 42)).astype(np.float32)
    given = prequential(Groups((answering(drawn, logits),), SHARES), over="share")
    costs = -log_softmax(logits.astype(float), axis=1)[:, labels, np.arange(40)]
    seen = [set(part.split("train").places.tolist()) for part in drawn]
    blocks = [(1, seen[2] - seen[1]), (2, seen[0] - seen[2]), (0, set(range(40)) - seen[0])]
    expected = [5 * np.log(4)] + [sum(costs[run, i] for i in block) for run, block in blocks]
    np.testing.assert_allclose(given["length"][0], expected, rtol=1e-12)
    assert given["seen"][0].tolist() == [0, 5, 10, 20]
    assert given["coded"][0].tolist() == [5, 5, 10, 20]
    assert given["code_length"][0] == pytest.approx(sum(expected), rel=1e-12)
    assert given["uniform"][0] == pytest.approx(40 * np.log(4))


def test_ignorance_costs_as_much_as_no_model_and_knowledge_nothing():
    drawn, labels = parts()
    logits = np.zeros((3, 4, 42))
    given = prequential(Groups((answering(drawn, logits),), SHARES), over="share")
    assert given["compression"][0] == pytest.approx(1, rel=1e-12)
    logits[:, labels, np.arange(40)] = 1000
    given = prequential(Groups((answering(drawn, logits),), SHARES), over="share")
    assert given["code_length"][0] == pytest.approx(5 * np.log(4), rel=1e-12)  # the first block alone


def test_the_whole_data_set_leaves_an_empty_block():
    drawn, _ = parts(shares=(0.5, 1.0, 0.25))
    given = prequential(Groups((answering(drawn, np.zeros((3, 4, 42))),), (0.5, 1.0, 0.25)), over="share")
    assert given["coded"][0].tolist() == [10, 10, 20, 0]
    assert given["length"][0, 3] == 0


def test_sets_that_are_not_nested_are_refused():
    drawn, _ = parts(seeds=(1, 2, 3))
    with pytest.raises(Problem, match="holds every smaller one"):
        prequential(Groups((answering(drawn, np.zeros((3, 4, 42))),), SHARES), over="share")
