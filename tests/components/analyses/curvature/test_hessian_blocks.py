"""Curvature layer by layer against blocks of the dense matrix."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gendsl_runtime.analyses.curvature.hessian_blocks import hessian_blocks
from gendsl_runtime.analyses.curvature.hessian_trace import hessian_trace
from gendsl_runtime.models.mlp import mlp
from tests.components.analyses.dense_matrices import dense


@pytest.mark.parametrize("operator", ["hessian", "ggn", "fisher", "empirical_fisher"])
@pytest.mark.parametrize("by", ["layer", "tensor"])
def test_dense_blocks(make_runs, operator, by):
    runs = make_runs(seeds=(0, 1), train=540, dtype=torch.float64, hidden=[4, 3])
    given = hessian_blocks(runs, operator=operator, by=by, tolerance=1e-9)
    sizes = {"layer": [16, 15, 12], "tensor": [12, 4, 12, 3, 9, 3]}[by]
    assert given["size"].tolist() == [sizes] * 2
    names = ["hidden.0", "hidden.1", "output"]
    if by == "tensor":
        names = [f"{name}.{part}" for name in names for part in ("weight", "bias")]
    assert given["layer"].tolist() == names
    ends = np.cumsum(sizes)
    for member in range(2):
        whole = dense(runs, member, operator=operator)
        for place, (start, end) in enumerate(zip(ends - sizes, ends, strict=True)):
            block = whole[start:end, start:end]
            assert given["top"][member, place] == pytest.approx(np.linalg.eigvalsh(block)[-1], abs=1e-8)
            distance = abs(given["trace"][member, place] - np.trace(block))
            # 5 standard errors on 32 probes.
            assert distance <= 5 * given["trace_error"][member, place] + 1e-12
    assert (given["converged"] == 1).all()


def test_norms_are_layers_of_their_own(make_runs):
    runs = make_runs(network=mlp((3,), 3, hidden=[4], norm="batch"))
    given = hessian_blocks(runs, probes=4)
    assert given["layer"].tolist() == ["hidden.0", "hidden.0.norm", "output"]
    # The same probes for all blocks: traces add up to that of the whole matrix.
    assert np.isfinite(given["top"]).all()


def test_traces_add_up(make_runs):
    runs = make_runs(dtype=torch.float64)
    whole = hessian_trace(runs, method="exact")["trace"].numpy()
    given = hessian_blocks(runs, probes=200)
    bound = 5 * np.sqrt(np.square(given["trace_error"]).sum(1))
    assert (abs(given["trace"].sum(1) - whole) <= bound).all()


def test_what_has_not_converged_says_so(make_runs):
    given = hessian_blocks(make_runs(hidden=[20]), iterations=2, tolerance=1e-6)
    assert (given["converged"] == 0).any()
    assert (given["residual"][given["converged"] == 0] > 0).all()
