"""Diagonals against the dense matrices."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gendsl_runtime.analyses.curvature.hessian_diagonal import hessian_diagonal
from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.losses.mse import mse
from gendsl_runtime.measures.curvature import curvature_product
from gendsl_runtime.models.cnn import cnn
from gendsl_runtime.models.mlp import mlp
from gendsl_runtime.models.resnet import resnet
from gendsl_runtime.models.transformer import transformer
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Runs
from tests.components.analyses.dense_matrices import dense

OPERATORS = ["hessian", "ggn", "fisher", "empirical_fisher"]


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("options", [{}, {"norm": "layer"}, {"norm": "batch"}, {"parametrisation": "ntk"}])
def test_dense_diagonals(make_runs, operator, options):
    network = mlp((3,), 3, hidden=[4], activation="tanh", **options)
    runs = make_runs(seeds=(0, 1), train=540, dtype=torch.float64, network=network)
    given = hessian_diagonal(runs, operator=operator, method="exact")
    estimate = hessian_diagonal(runs, operator=operator, probes=64)
    for member in range(2):
        exact = np.diag(dense(runs, member, operator=operator))
        np.testing.assert_allclose(given["diagonal"][member], exact, atol=1e-12)
        # The largest of 40 errors of 64 probes.
        bound = 5.5 * estimate["error"][member].numpy() + 1e-12
        assert (abs(estimate["diagonal"][member].numpy() - exact) <= bound).all()
    assert given["error"].abs().max() == 0


@pytest.mark.parametrize("operator", ["ggn", "fisher", "empirical_fisher"])
@pytest.mark.parametrize("model", ["cnn", "group"])
def test_images_by_factors_and_by_products(operator, model):
    networks = {
        "cnn": lambda: cnn((1, 6, 6), 3, channels=[2], hidden=[3], activation="tanh"),
        "group": lambda: resnet((1, 8, 8), 3, norm="group"),
    }
    network = networks[model]()
    stream = np.random.default_rng(1)
    inputs = torch.from_numpy(stream.standard_normal((9, *network.shape)))
    data = Dataset({"train": Split(inputs, torch.arange(9) % 3)}, "classification", network.shape, 3)

    def log_loss(outputs, targets):
        return torch.nn.functional.cross_entropy(outputs, targets, reduction="none")

    runs = Runs(network, network.init((0,)).to("cpu", torch.float64), (data,), (0,), log_loss)
    given = hessian_diagonal(runs, operator=operator, method="exact")["diagonal"]
    product = curvature_product(runs, on="train", operator=operator)
    size = given.shape[1]
    for place in np.linspace(0, size - 1, 12).astype(int):
        unit = torch.zeros(1, size, dtype=torch.float64)
        unit[0, place] = 1
        assert float(given[0, place]) == pytest.approx(float(product(unit)[0, place]), abs=1e-12)


@pytest.mark.parametrize("samples", [0, 3])
def test_regressions_and_labels_drawn(samples):
    stream = np.random.default_rng(2)
    inputs, targets = (torch.from_numpy(stream.standard_normal((25, size))) for size in (3, 2))
    data = Dataset({"train": Split(inputs, targets)}, "regression", (3,), 2)
    network = mlp((3,), 2, hidden=[4], activation="tanh")
    runs = Runs(network, network.init((0,)).to("cpu", torch.float64), (data,), (0,), mse)
    given = hessian_diagonal(runs, operator="fisher", method="exact", samples=samples)["diagonal"]
    product = curvature_product(runs, on="train", operator="fisher", samples=samples)
    columns = torch.cat([product(row[None]) for row in torch.eye(26, dtype=torch.float64)])
    np.testing.assert_allclose(given[0], columns.diagonal(), atol=1e-12)


def test_a_network_of_other_layers_is_refused_where_exact(make_runs):
    network = transformer((4, 2), 3, width=4, heads=1, layers=1)
    data = Dataset({"train": Split(torch.randn(5, 4, 2), torch.arange(5) % 3)}, "classification", (4, 2), 3)
    runs = Runs(network, network.init((0,)), (data,), (0,), make_runs().loss)
    with pytest.raises(Problem):
        hessian_diagonal(runs, operator="ggn", method="exact")
    assert hessian_diagonal(runs, operator="ggn", probes=2)["diagonal"].isfinite().all()
