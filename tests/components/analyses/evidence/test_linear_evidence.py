"""Exact evidence: against scipy's multivariate normal and scikit-learn, the chain rule, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal

from gendsl_runtime.analyses.evidence.gp_evidence import gp_evidence
from gendsl_runtime.analyses.evidence.linear_evidence import linear_evidence
from gendsl_runtime.datasets.curve import curve
from gendsl_runtime.losses.mse import mse
from gendsl_runtime.measures.evidence import Process, Regression
from gendsl_runtime.models.basis import basis
from gendsl_runtime.models.mlp import mlp
from gendsl_runtime.models.random_features import random_features
from gendsl_runtime.problem import Problem
from gendsl_runtime.random import generator
from gendsl_runtime.runs import Runs

FAMILIES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "legendre": lambda x: np.polynomial.legendre.legvander(x, 4),
    "powers": lambda x: np.vander(x, 5, increasing=True),
    "fourier": lambda x: np.stack(
        [np.ones_like(x), *(f(k * np.pi * x) for k in range(1, 5) for f in (np.cos, np.sin))], 1
    ),
}


def curves(network: object, seeds: tuple[int, ...] = (0, 1)) -> Runs:
    data = tuple(curve(train=12, test=30, seed=seed) for seed in seeds)
    return Runs(network, network.init(seeds), data, seeds, mse)


def points(runs: Runs, member: int, split: str = "train") -> tuple[np.ndarray, np.ndarray]:
    found = runs.data[member].split(split)
    return found.inputs[:, 0].double().numpy(), found.targets[:, 0].double().numpy()


@pytest.mark.parametrize("family", FAMILIES)
def test_linear_evidence_against_scipy(family: str) -> None:
    """To 1e-9; the model's functions by numpy."""
    runs = curves(basis((1,), 1, degree=4, family=family))
    found = linear_evidence(runs, prior_precision=0.5, noise=0.3)
    for member in range(2):
        x, y = points(runs, member)
        design = FAMILIES[family](x)
        covariance = design @ design.T / 0.5 + 0.09 * np.eye(12)
        expected = multivariate_normal(np.zeros(12), covariance).logpdf(y)
        assert found["log_evidence"][member] == pytest.approx(expected, rel=1e-9)
    assert (found["parameters"] == FAMILIES[family](np.zeros(1)).shape[1]).all()


def test_the_conditional_evidence_is_a_product_of_predictions() -> None:
    """The chain rule: `sum_i log p(D_i | D_<i)`, each by the posterior predictive, to 1e-9; and for no share the
    evidence itself."""
    chance = np.random.default_rng(0)
    design, y = chance.standard_normal((10, 3)), chance.standard_normal(10)
    kernel = np.exp(-np.abs(design[:, :1] - design[:, 0]))
    for model, predict in (
        (
            Regression(design, y, 0.7, 0.3),
            lambda i: Regression(design[:i], y[:i], 0.7, 0.3).predicted(design[i : i + 1]),
        ),
        (
            Process(kernel, y, 0.3),
            lambda i: Process(kernel[:i, :i], y[:i], 0.3).predicted(kernel[:i, i : i + 1], np.ones(1)),
        ),
    ):
        total = 0.0
        for i in range(4, 10):
            mean, variance = predict(i)
            total += float(multivariate_normal(mean, variance).logpdf(y[i]))
        found = model.log_evidence(np.arange(10)) - model.log_evidence(np.arange(4))
        assert found == pytest.approx(total, abs=1e-9)
    runs = curves(basis((1,), 1, degree=3))
    whole = linear_evidence(runs, share=0.0, orders=2)
    np.testing.assert_allclose(whole["conditional"], whole["log_evidence"], rtol=1e-12)


def test_a_diffuse_prior_keeps_its_digits() -> None:
    """Prior variance 1e10, against 60 digits of mpmath."""
    mpmath = pytest.importorskip("mpmath")
    chance = np.random.default_rng(1)
    design, y = np.vander(chance.uniform(-1, 1, 8), 6), chance.standard_normal(8)
    found = Regression(design, y, 1e-10, 0.1).log_evidence(np.arange(8))
    with mpmath.workdps(60):
        x = mpmath.matrix(design.tolist())
        covariance = x * x.T * mpmath.mpf(10) ** 10 + mpmath.eye(8) * mpmath.mpf("0.1") ** 2
        aim = mpmath.matrix(y.tolist())
        quadratic = (aim.T * mpmath.lu_solve(covariance, aim))[0]
        exact = -0.5 * (quadratic + mpmath.log(mpmath.det(covariance)) + 8 * mpmath.log(2 * mpmath.pi))
    assert found == pytest.approx(float(exact), rel=1e-9)


def test_random_features_are_linear_and_networks_are_not() -> None:
    assert (linear_evidence(curves(random_features((1,), 1, features=20)))["nonlinearity"] < 1e-12).all()
    assert (linear_evidence(curves(mlp((1,), 1, hidden=[4])))["nonlinearity"] > 0.01).all()


def test_of_a_network_it_is_the_evidence_of_its_linearisation() -> None:
    """The normal distribution with mean `f(w) - J w` and covariance `J J^T / a + noise^2 I`."""
    runs = curves(mlp((1,), 1, hidden=[4], activation="tanh"))
    one = replace(runs.select([0]), state=runs.select([0]).state.to("cpu", torch.float64))
    inputs, targets = one.split("train")

    def outputs(values: dict[str, torch.Tensor]) -> torch.Tensor:
        return one.network.apply(values, {}, inputs, training=False)[0][0, 0]

    found = torch.func.jacrev(outputs)(one.state.parameters)
    jacobian = torch.cat([found[name][:, 0].flatten(1) for name in found], 1).numpy()
    weights = torch.cat([value[0].flatten() for value in one.state.parameters.values()]).numpy()
    mean = outputs(one.state.parameters).numpy() - jacobian @ weights
    expected = multivariate_normal(mean, jacobian @ jacobian.T / 0.5 + 0.09 * np.eye(12)).logpdf(
        targets[0, :, 0]
    )
    assert linear_evidence(runs, prior_precision=0.5, noise=0.3)["log_evidence"][0] == pytest.approx(
        expected, rel=1e-9
    )


def test_what_was_learnt_is_without_effect() -> None:
    runs = curves(basis((1,), 1, degree=4))
    moved = {name: value + 0.7 for name, value in runs.state.parameters.items()}
    other = replace(runs, state=replace(runs.state, parameters=moved))
    found = linear_evidence(other)
    for name, value in linear_evidence(runs).items():
        np.testing.assert_allclose(found[name], value, rtol=1e-9, atol=1e-12, err_msg=name)


def test_predictions_against_scikit_learn() -> None:
    """Bayesian ridge with known precisions: mean squared error and log-likelihood of the test points."""
    runs = curves(basis((1,), 1, degree=4))
    found = linear_evidence(runs, prior_precision=0.5, noise=0.3)
    x, y = points(runs, 0)
    new, aims = points(runs, 0, "test")
    design, rows = FAMILIES["legendre"](x), FAMILIES["legendre"](new)
    inverse = np.linalg.inv(design.T @ design / 0.09 + 0.5 * np.eye(5))
    means = rows @ inverse @ design.T @ y / 0.09
    variances = np.einsum("np,pq,nq->n", rows, inverse, rows) + 0.09
    assert found["test_loss"][0] == pytest.approx(((aims - means) ** 2).mean(), rel=1e-9)
    likelihood = (-0.5 * ((aims - means) ** 2 / variances + np.log(2 * np.pi * variances))).mean()
    assert found["test_log_likelihood"][0] == pytest.approx(likelihood, rel=1e-9)


def test_the_order_of_examples_does_not_matter_to_the_evidence() -> None:
    runs = curves(basis((1,), 1, degree=4), seeds=(3,))
    order = np.random.default_rng(0).permutation(12)
    data = runs.data[0].with_splits(train=runs.data[0].split("train").take(order))
    for analysis in (linear_evidence, gp_evidence):
        found = analysis(replace(runs, data=(data,)))["log_evidence"]
        np.testing.assert_allclose(found, analysis(runs)["log_evidence"], rtol=1e-9)


@pytest.mark.parametrize("features", [30, 400])
def test_more_weights_than_points_against_scipy(features: int) -> None:
    """12 points, 30 to predict: evidence and posterior predictive of the same normal distribution by covariances, to
    1e-8; with 400 weights what examples and test points see is turned into 42."""
    runs = curves(random_features((1,), 1, features=features))
    found = linear_evidence(runs, prior_precision=0.5, noise=0.3, share=0.5, orders=3)
    for member in range(2):
        one = replace(runs.select([member]), state=runs.select([member]).state.to("cpu", torch.float64))
        designs = []
        for split in ("train", "test"):
            values, inputs = one.state.parameters, one.split(split)[0]
            jacobian = torch.func.jacrev(
                lambda v, x=inputs, one=one: one.network.apply(v, one.state.buffers, x, training=False)[0][
                    0, 0
                ]
            )(values)
            designs.append(torch.cat([jacobian[name][:, 0].flatten(1) for name in jacobian], 1).numpy())
        x, z = designs
        y, aims = points(runs, member)[1], points(runs, member, "test")[1]
        assert x.shape[1] == found["parameters"][member]
        covariance = x @ x.T / 0.5 + 0.09 * np.eye(12)
        expected = multivariate_normal(np.zeros(12), covariance).logpdf(y)
        assert found["log_evidence"][member] == pytest.approx(expected, rel=1e-8)
        across = z @ x.T / 0.5
        means = across @ np.linalg.solve(covariance, y)
        variances = (z * z).sum(1) / 0.5 + 0.09 - (across * np.linalg.solve(covariance, across.T).T).sum(1)
        likelihood = (-0.5 * ((aims - means) ** 2 / variances + np.log(2 * np.pi * variances))).mean()
        assert found["test_log_likelihood"][member] == pytest.approx(likelihood, rel=1e-8)
        assert found["test_loss"][member] == pytest.approx(((aims - means) ** 2).mean(), rel=1e-8)
        stream = generator("linear_evidence", one.seeds[0])
        rest = []
        for _ in range(3):
            first = stream.permutation(12)[:6]
            own = multivariate_normal(np.zeros(6), covariance[np.ix_(first, first)]).logpdf(y[first])
            rest.append(expected - own)
        assert found["conditional"][member] == pytest.approx(np.mean(rest), rel=1e-8)
        assert found["conditional_error"][member] == pytest.approx(np.std(rest, ddof=1) / 3**0.5, rel=1e-7)


@pytest.mark.parametrize("noise", [1e-320, 1e-200, 1e300])
@pytest.mark.parametrize("analysis", [linear_evidence, gp_evidence])
def test_noise_beyond_numbers_is_refused(analysis: Callable[..., object], noise: float) -> None:
    with pytest.raises(Problem, match="beyond what can be computed with"):
        analysis(curves(basis((1,), 1, degree=2)), noise=noise)
