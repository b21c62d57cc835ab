"""Predictions of Laplace's approximation: against closed forms, dense inverses and draws."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal

from gendsl_runtime.analyses.evidence.laplace_predictive import laplace_predictive
from gendsl_runtime.measures.laplace import laplace, output_variances, sampled_outputs
from gendsl_runtime.models.linear import linear
from gendsl_runtime.models.mlp import mlp
from gendsl_runtime.runs import Runs
from tests.components.analyses.evidence.laplace_cases import (
    NETWORKS,
    STRUCTURES,
    dense,
    images,
    matrix,
    regression,
    ridge,
)

MakeRuns = Callable[..., Runs]


def test_the_prediction_of_a_linear_regression_is_exact() -> None:
    """Mean and variance of the posterior predictive; the joint log-likelihood is the conditional evidence, within 5 of
    its standard errors."""
    runs, design, y = ridge(regression(linear((3,), 1)), precision=0.7, noise=0.3)
    found = laplace_predictive(runs, structure="full", prior_precision=0.7, noise=0.3, samples=20_000)
    x, targets = (value[0] for value in runs.split("test"))
    rows = torch.cat([x, torch.ones(len(x), 1)], 1).double()
    inverse = torch.linalg.inv(design.T @ design / 0.09 + 0.7 * torch.eye(4).double())
    mean = rows @ inverse @ design.T @ y / 0.09
    covariance = rows @ inverse @ rows.T
    deviation = (covariance.diag() + 0.09).sqrt()
    z = (targets - mean)[:, 0] / deviation
    expected = (-0.5 * z.square() - deviation.log() - 0.5 * math.log(2 * math.pi)).mean()
    assert found["log_likelihood"][0] == pytest.approx(float(expected), rel=1e-9)
    assert found["variance"][0] == pytest.approx(float(covariance.diag().mean()), rel=1e-9)
    whole = multivariate_normal(mean[:, 0].numpy(), (covariance + 0.09 * torch.eye(10).double()).numpy())
    exact = whole.logpdf(targets[:, 0].numpy())
    assert abs(found["joint"][0] - exact) < 5 * found["joint_error"][0]
    assert found["joint_error"][0] < 0.05


@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("name", NETWORKS)
def test_variances_against_dense_and_draws(name: str, structure: str) -> None:
    """`diag(J (H + a I)^-1 J^T)` to 1e-9; draws have these variances within 6 standard errors."""
    runs = NETWORKS[name]()
    (posterior,) = laplace(runs, on="train", structure=structure, precision=0.8, noise=1.0)
    inputs = runs.split("test")[0]
    jacobian, _, _ = dense(runs, "test")
    precision = matrix(runs, structure) + 0.8 * torch.eye(jacobian.shape[2]).double()
    inverse = torch.linalg.inv(precision)
    if structure == "last_layer":
        size = sum(v[0].numel() for n, v in runs.state.parameters.items() if n.startswith("output."))
        inverse[:-size] = 0
        inverse[:, :-size] = 0
    expected = torch.einsum("ncp,pq,ncq->cn", jacobian, inverse, jacobian)
    torch.testing.assert_close(output_variances(runs, inputs, posterior), expected, rtol=1e-9, atol=1e-12)
    drawn = sampled_outputs(runs, inputs, posterior, samples=400)
    ratio = drawn.var(0) / expected
    assert (ratio - 1).abs().max() < 6 * math.sqrt(2 / 399)


def test_probit_and_samples_agree_for_a_narrow_posterior() -> None:
    """With a large prior precision both are the softmax of the trained weights."""
    runs = NETWORKS["mlp"]()
    for link in ("probit", "samples"):
        found = laplace_predictive(runs, link=link, prior_precision=1e9, samples=10)
        np.testing.assert_allclose(found["log_likelihood"], found["map_log_likelihood"], atol=1e-4)
        np.testing.assert_allclose(found["joint"], 4 * found["map_log_likelihood"], atol=1e-2)


def test_a_last_layer_without_bias() -> None:
    """One block of one parameter that is not the whole network."""
    runs = images(mlp((4,), 3, hidden=[6], bias=False))
    found = laplace_predictive(runs, structure="last_layer", samples=2)
    jacobian, _, whole = dense(runs)
    rows = jacobian[:4, :, -18:]
    inverse = torch.linalg.inv(whole[-18:, -18:] + torch.eye(18).double())
    expected = torch.einsum("ncp,pq,ncq->nc", rows, inverse, rows).mean()
    assert found["variance"][0] == pytest.approx(float(expected), rel=1e-9)


def test_one_draw_has_no_error() -> None:
    assert math.isnan(laplace_predictive(images(mlp((4,), 3, hidden=[6])), samples=1)["joint_error"][0])
