"""Products with each curvature matrix against the matrix itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from gendsl_runtime.analyses.curvature.hessian_top import hessian_top
from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.losses.cross_entropy import cross_entropy
from gendsl_runtime.losses.hinge import hinge
from gendsl_runtime.losses.mse import mse
from gendsl_runtime.measures import hessian
from gendsl_runtime.measures.curvature import curvature_product, gradient
from gendsl_runtime.models.mlp import mlp
from gendsl_runtime.runs import Runs
from gendsl_runtime.train.build import StackedLoss
from tests.components.analyses.dense_matrices import dense, dense_gradient

OPERATORS = ["hessian", "ggn", "fisher", "empirical_fisher"]


def matrices(runs: Runs, operator: str, **options: int) -> np.ndarray:
    """All columns by products, `(members, size, size)`."""
    product = curvature_product(runs, on="train", operator=operator, **options)
    size = sum(value[0].numel() for value in runs.state.parameters.values())
    columns = [product(row.expand(runs.members, -1)) for row in torch.eye(size, dtype=torch.float64)]
    return torch.stack(columns, dim=2).numpy()


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("train", [30, 700])
def test_dense_matrices_of_classifiers(make_runs, operator, train):
    """700 examples are two unequal blocks."""
    runs = make_runs(seeds=(0, 1), train=train, dtype=torch.float64, hidden=[4])
    given = matrices(runs, operator)
    for member in range(2):
        np.testing.assert_allclose(given[member], dense(runs, member, operator=operator), atol=1e-12)


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("norm", ["batch", "layer"])
def test_networks_with_norms_are_taken_in_evaluation_mode(make_runs, operator, norm):
    network = mlp((3,), 3, hidden=[4], norm=norm, dropout=0.5, activation="tanh")
    runs = make_runs(seeds=(0,), train=40, dtype=torch.float64, network=network)
    if norm == "batch":
        runs.state.buffers["hidden.0.norm.running_mean"] += 0.3
        runs.state.buffers["hidden.0.norm.running_var"] *= 1.7
    np.testing.assert_allclose(matrices(runs, operator)[0], dense(runs, 0, operator=operator), atol=1e-12)


def regression() -> Runs:
    stream = np.random.default_rng(2)
    inputs, targets = (torch.from_numpy(stream.standard_normal((25, size))) for size in (3, 2))
    data = Dataset({"train": Split(inputs, targets)}, "regression", (3,), 2)
    network = mlp((3,), 2, hidden=[4], activation="tanh")
    return Runs(network, network.init((0, 1)).to("cpu", torch.float64), (data,) * 2, (0, 1), mse)


@pytest.mark.parametrize("operator", OPERATORS)
def test_dense_matrices_of_a_regression(operator):
    runs = regression()
    given = matrices(runs, operator)
    for member in range(2):
        np.testing.assert_allclose(given[member], dense(runs, member, operator=operator), atol=1e-12)


def test_the_exact_fisher_is_the_ggn_of_the_log_loss_whatever_the_labels(make_runs):
    runs = make_runs(seeds=(0,), dtype=torch.float64)
    np.testing.assert_allclose(matrices(runs, "fisher"), matrices(runs, "ggn"), atol=1e-14)
    smooth = replace(
        runs, loss=StackedLoss(cross_entropy, {}, {"label_smoothing": torch.tensor([0.2]).double()})
    )
    np.testing.assert_allclose(matrices(smooth, "ggn"), matrices(runs, "ggn"), atol=1e-14)
    other = np.abs(matrices(smooth, "empirical_fisher") - matrices(runs, "empirical_fisher")).max()
    assert other > 1e-3
    np.testing.assert_allclose(matrices(regression(), "fisher"), matrices(regression(), "ggn"), atol=1e-14)


@pytest.mark.parametrize(
    "runs_of", [lambda make: make(seeds=(0,), dtype=torch.float64), lambda make: regression()]
)
def test_labels_drawn_from_the_model_approach_the_expectation(make_runs, runs_of):
    """The mean of S samples errs like 1/sqrt(S): four standard errors of the trace, measured on 20 independent
    estimates by splitting seeds."""
    runs = runs_of(make_runs)
    exact = np.trace(matrices(runs, "fisher")[0])
    single = [
        np.trace(matrices(replace(runs, seeds=(seed,) * runs.members), "fisher", samples=10)[0])
        for seed in range(20)
    ]
    assert abs(np.mean(single) - exact) < 4 * np.std(single, ddof=1) / 20**0.5
    assert np.std(single) > 0
    again = matrices(runs, "fisher", samples=10)
    np.testing.assert_array_equal(again, matrices(runs, "fisher", samples=10))


def test_a_piecewise_linear_loss_has_no_gauss_newton_matrix_but_gradients(make_runs):
    runs = replace(
        make_runs(seeds=(0,), dtype=torch.float64), loss=lambda f, y: hinge(f, y, margin=torch.ones(1))
    )
    assert abs(matrices(runs, "ggn")).max() == 0
    np.testing.assert_allclose(
        matrices(runs, "empirical_fisher")[0], dense(runs, 0, operator="empirical_fisher"), atol=1e-12
    )


@pytest.mark.parametrize("operator", OPERATORS)
def test_graphs_that_are_not_kept_give_the_same_bits(make_runs, monkeypatch, operator):
    runs = make_runs(train=1100)
    vector = torch.randn(3, 38, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    kept = curvature_product(runs, on="train", operator=operator)(vector)
    for module in (hessian, __import__("gendsl_runtime.measures.curvature", fromlist=["curvature"])):
        monkeypatch.setattr(module, "RETAINED", 0)
    assert torch.equal(curvature_product(runs, on="train", operator=operator)(vector), kept)


@pytest.mark.parametrize("operator", OPERATORS)
def test_single_precision(make_runs, operator):
    runs = make_runs(seeds=(0,), train=300, hidden=[8])
    precise = replace(runs, state=runs.state.to("cpu", torch.float64))
    exact = matrices(precise, operator)
    # Sums of 300 float32 terms of the matrix' size.
    np.testing.assert_allclose(matrices(runs, operator), exact, atol=1e-5 * abs(exact).max())


@pytest.mark.parametrize("operator", OPERATORS)
def test_top_eigenvalues_of_each_operator(make_runs, operator):
    runs = make_runs(seeds=(0, 1), dtype=torch.float64, hidden=[6, 5])
    given = hessian_top(runs, count=4, operator=operator, tolerance=1e-9)
    for member in range(2):
        spectrum = np.linalg.eigvalsh(dense(runs, member, operator=operator))[::-1]
        np.testing.assert_allclose(given["eigenvalue"][member], spectrum[:4], atol=1e-9 * spectrum[0])
    assert (given["converged"] == 1).all()


def test_the_gradient(make_runs):
    runs = make_runs(train=700, dtype=torch.float64)
    for member in range(3):
        np.testing.assert_allclose(
            gradient(runs, on="train")[member], dense_gradient(runs, member), atol=1e-14
        )


def test_a_network_without_gradients_somewhere(make_runs):
    """A loss that looks at one output only: the other rows of the last layer are flat directions."""

    def first(outputs: Tensor, targets: Tensor) -> Tensor:
        return outputs[:, 0].square()

    runs = replace(make_runs(seeds=(0,), dtype=torch.float64), loss=first)
    for operator in ("ggn", "empirical_fisher", "hessian"):
        np.testing.assert_allclose(matrices(runs, operator)[0], dense(runs, 0, operator=operator), atol=1e-12)
