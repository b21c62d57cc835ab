"""Rescaled relu networks: the function stays, sharpness does not, and the dense Hessian says by how much."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gendsl_runtime.analyses.sharpness.rescaling import rescaling
from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.measures.rescale import rescaled
from gendsl_runtime.models.cnn import cnn
from gendsl_runtime.models.mlp import mlp
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Runs
from tests.components.analyses.dense_matrices import dense


def test_the_function_stays_and_sharpness_changes(make_runs):
    runs = make_runs(seeds=(0, 1), dtype=torch.float64, activation="relu", train=540)
    given = rescaling(runs, factor=10.0)
    # Rounding of float64.
    assert (given["output_change"] < 1e-14).all()
    ratio = dict(zip(given["measure"], given["ratio"].T, strict=True))
    assert (ratio["largest eigenvalue"] > 10).all()
    assert (ratio["trace"] > 10).all()
    for name in ("ASAM", "magnitude"):
        np.testing.assert_allclose(ratio[name], 1.0, rtol=1e-9)
    for name in ("SAM", "expected"):
        assert (abs(ratio[name] - 1) > 0.5).all()


def test_the_dense_hessian_transforms_as_it_should(make_runs):
    """H' = D^-1 H D^-1 with the diagonal D of the factors: exact, since relu is piecewise linear."""
    runs = make_runs(seeds=(0,), dtype=torch.float64, activation="relu")
    moved = rescaled(runs, layer=0, factor=3.0)
    scale = np.concatenate([np.full(20, 3.0), np.full(15, 1 / 3.0), np.ones(3)])
    expected = dense(runs, 0) / scale[:, None] / scale[None, :]
    np.testing.assert_allclose(dense(moved, 0), expected, atol=1e-12)
    given = rescaling(runs, factor=3.0)
    assert given["after"][0, 0] == pytest.approx(np.linalg.eigvalsh(expected)[-1], rel=1e-5)


def test_single_precision_is_checked_to_its_rounding(make_runs):
    given = rescaling(make_runs(activation="relu", hidden=[20, 20]), factor=7.0, layer=1)
    assert (given["output_change"] < 1e-5).all()
    assert (given["output_change"] > 0).any()


def test_convolutions_and_pooling():
    network = cnn((1, 8, 8), 3, channels=[2, 3], hidden=[4], activation="relu")
    inputs = torch.randn(9, 1, 8, 8, generator=torch.Generator().manual_seed(0)).double()
    data = Dataset({"train": Split(inputs, torch.arange(9) % 3)}, "classification", (1, 8, 8), 3)

    def log_loss(outputs, targets):
        return torch.nn.functional.cross_entropy(outputs, targets, reduction="none")

    runs = Runs(network, network.init((0,)).to("cpu", torch.float64), (data,), (0,), log_loss)
    for layer in range(3):
        assert (rescaling(runs, layer=layer, samples=2)["output_change"] < 1e-14).all()
    with pytest.raises(Problem, match="no next one"):
        rescaling(runs, layer=3)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"activation": "tanh"}, "tanh"),
        ({"activation": "relu", "norm": "batch"}, "batchnorm"),
        ({"activation": "relu", "hidden": []}, "one layer"),
        ({"activation": "relu", "hidden": [5, 5], "skip": True}, "residual"),
    ],
)
def test_other_networks_are_refused(make_runs, options, why):
    with pytest.raises(Problem, match=why):
        rescaling(make_runs(network=mlp((3,), 3, **options)))
