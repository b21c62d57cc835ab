"""Overlaps of top subspaces against dense eigenvectors."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gendsl_runtime.analyses.curvature.top_overlap import top_overlap
from gendsl_runtime.problem import Problem
from tests.components.analyses.dense_matrices import dense


@pytest.mark.parametrize("operator", ["hessian", "ggn"])
def test_dense_eigenvectors(make_runs, operator):
    runs, other = (make_runs(seeds=seeds, dtype=torch.float64) for seeds in ((0, 1), (2, 3)))
    given = top_overlap(runs, other=other, count=3, operator=operator, tolerance=1e-10)
    for member in range(2):
        spans = [
            np.linalg.eigh(dense(one, member, operator=operator))[1][:, ::-1][:, :3] for one in (runs, other)
        ]
        expected = np.square(spans[0].T @ spans[1]).sum() / 3
        assert float(given["overlap"][member]) == pytest.approx(expected, abs=1e-6)
    assert given["converged"].tolist() == [1, 1]


def test_a_run_overlaps_with_itself_wholly(make_runs):
    runs = make_runs(dtype=torch.float64)
    np.testing.assert_allclose(top_overlap(runs, other=runs, count=3)["overlap"], 1.0, atol=1e-9)


def test_other_architectures_are_refused(make_runs):
    with pytest.raises(Problem, match="one architecture"):
        top_overlap(make_runs(), other=make_runs(hidden=[6]))


def test_a_member_does_not_depend_on_its_stack(make_runs):
    runs, other = make_runs(seeds=(0, 1, 2)), make_runs(seeds=(3, 4, 5))
    whole = top_overlap(runs, other=other, count=2)["overlap"]
    assert torch.equal(top_overlap(runs.select([1]), other=other.select([1]), count=2)["overlap"], whole[1:2])
