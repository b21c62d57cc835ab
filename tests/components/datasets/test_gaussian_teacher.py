"""Teacher and student against closed forms and least squares."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import integrate, stats

from gendsl_runtime.datasets.gaussian_teacher import gaussian_teacher, linear_teacher, mlp_teacher
from gendsl_runtime.problem import Problem

MANY = 20_000


def test_inputs_are_standard_normal():
    inputs = gaussian_teacher(train=2000, dimension=10).split("train").inputs.numpy()
    assert stats.kstest(inputs.ravel(), "norm").pvalue > 1e-4


def test_without_noise_least_squares_finds_the_linear_teacher():
    split = gaussian_teacher(train=100, dimension=8, outputs=3, noise=0.0).split("train")
    found, residual, *_ = np.linalg.lstsq(split.inputs.double().numpy(), split.targets.double().numpy())
    # Inputs and targets are float32 (2^-24), and 100 normal rows in 8 dimensions have a condition below 4.
    np.testing.assert_allclose(found.T @ found, np.eye(3), atol=1e-5)
    # Targets of size a few units, rounded to float32.
    assert (residual < 100 * (4 * 2**-24) ** 2 * 100).all()


@pytest.mark.parametrize("teacher", ["linear", "mlp"])
def test_teacher_outputs_have_mean_zero_and_variance_one(teacher):
    inputs = np.random.default_rng(0).standard_normal((MANY, 12))
    build = {"linear": linear_teacher, "mlp": lambda *a, **k: mlp_teacher(*a, hidden=6, **k)}[teacher]
    values = build(12, 2, seed=3)(inputs)
    error = values.std(0) / math.sqrt(MANY)
    assert (np.abs(values.mean(0)) < 4 * error).all()
    # Standard error of a variance: sqrt((fourth moment - 1) / n).
    spread = np.sqrt((values**4).mean(0) - 1) / math.sqrt(MANY)
    assert (np.abs(values.var(0) - 1) < 4 * spread).all()


def test_the_mlp_moments_are_exact_in_one_dimension():
    teacher = mlp_teacher(1, 1, hidden=5, seed=0)

    def moment(power: int) -> float:
        def density(x: float) -> float:
            return teacher(np.array([[x]]))[0, 0] ** power * stats.norm.pdf(x)

        # On each side of the kink at 0 the integrand is smooth; beyond 12 deviations nothing is left.
        return sum(integrate.quad(density, *ends)[0] for ends in ((-12, 0), (0, 12)))

    assert abs(moment(1)) < 1e-7
    assert abs(moment(2) - 1) < 1e-7


def test_regression_noise_is_the_lowest_error():
    quiet, noisy = (
        gaussian_teacher(train=1000, noise=noise).split("train").targets.double().numpy()
        for noise in (0, 0.5)
    )
    assert stats.kstest((noisy - quiet).ravel() / 0.5, "norm").pvalue > 1e-4


def test_bayes_error_of_the_linear_classification():
    quiet, noisy = (
        gaussian_teacher(train=MANY, task="classification", noise=noise).split("train").targets.numpy()
        for noise in (0.0, 0.5)
    )
    expected = math.atan(0.5) / math.pi
    assert stats.binomtest(int((quiet != noisy).sum()), MANY, expected).pvalue > 1e-4


def test_the_teacher_follows_its_own_seed():
    one, other = (gaussian_teacher(teacher_seed=seed, noise=0.0) for seed in (0, 1))
    assert (one.split("train").inputs == other.split("train").inputs).all()
    assert (one.split("train").targets != other.split("train").targets).all()


def test_a_larger_training_set_begins_with_the_smaller_one():
    small, large = (gaussian_teacher(train=n, teacher="mlp", hidden=16).split("train") for n in (30, 300))
    assert (large.inputs[:30] == small.inputs).all()
    assert (large.targets[:30] == small.targets).all()


@pytest.mark.parametrize(
    "wrong", [{"outputs": 30, "dimension": 20}, {"outputs": 1, "task": "classification"}]
)
def test_impossible_teachers_are_refused(wrong):
    with pytest.raises(Problem):
        gaussian_teacher(**wrong)
