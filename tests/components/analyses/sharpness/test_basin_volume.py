"""Basin volumes of losses whose basins are known in closed form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.special import gammaln
from torch import Tensor

from gendsl_runtime.analyses.sharpness.basin_volume import basin_volume, volumes
from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.measures.crossing import crossings
from gendsl_runtime.measures.directions import draws
from gendsl_runtime.models.linear import linear
from gendsl_runtime.network import State
from gendsl_runtime.random import generator
from gendsl_runtime.runs import Runs

CUTOFF = 0.1


def quadratic(scales: list[float], *, seeds: tuple[int, ...] = (0,)) -> Runs:
    """Linear regression with loss exactly sum_j (scale_j (w_j - 1))^2: the basin is an ellipsoid around 1.

    Example j is n^(1/2) scale_j e_j with target n^(1/2) scale_j, so that the mean over n examples is the sum.
    """
    n = len(scales)
    inputs = torch.diag(torch.tensor(scales, dtype=torch.float64)) * n**0.5
    data = Dataset({"train": Split(inputs, inputs.sum(1, keepdim=True))}, "regression", (n,), 1)
    weight = torch.ones(len(seeds), 1, n, dtype=torch.float64)

    def squares(outputs: Tensor, targets: Tensor) -> Tensor:
        return (outputs[:, 0] - targets[:, :, 0]).square()

    return Runs(
        linear((n,), 1, bias=False),
        State({"output.weight": weight}, {}),
        (data,) * len(seeds),
        seeds,
        squares,
    )


def log_ball(n: int) -> float:
    return n / 2 * np.log(np.pi) - gammaln(1 + n / 2)


@pytest.mark.parametrize("n", [2, 6, 40])
def test_a_ball_is_exact_with_any_number_of_rays(n):
    given = basin_volume(quadratic([2.0] * n), rays=5, cutoff=CUTOFF, directions="plain")
    expected = log_ball(n) + n * np.log(np.sqrt(CUTOFF) / 2)
    # A radius is right to 1e-4 relative at worst.
    np.testing.assert_allclose(given["log_volume"], expected, atol=1e-4 * n)
    np.testing.assert_allclose(given["jensen"], expected, atol=1e-4 * n)
    np.testing.assert_allclose(given["effective_rays"], 5, atol=1e-2)
    assert given["dimension"].tolist() == [n]


def test_an_ellipsoid_has_the_closed_form_volume():
    scales = [0.5, 1.0, 1.5, 2.0]
    given = basin_volume(
        quadratic(scales, seeds=(0, 1, 2)), rays=4000, cutoff=CUTOFF, directions="plain", reach=100
    )
    expected = log_ball(4) + sum(np.log(np.sqrt(CUTOFF) / scale) for scale in scales)
    errors = given["log_volume_error"]
    assert (errors < 0.05).all()
    # Three independent estimates, each within four of its own standard errors.
    assert (abs(given["log_volume"] - expected) < 4 * errors).all()
    assert (given["jensen"] < given["log_volume"]).all()


def test_the_jensen_version_is_the_mean_of_logarithms():
    """In two dimensions the mean of log r over the circle has a closed form."""
    given = basin_volume(quadratic([1.0, 3.0]), rays=4000, cutoff=CUTOFF, directions="plain", reach=100)
    # r = sqrt(c) / sqrt(cos^2 + 9 sin^2), and the mean of log(a^2 cos^2 + b^2 sin^2) is 2 log((a + b) / 2).
    expected = log_ball(2) + 2 * (np.log(np.sqrt(CUTOFF)) - np.log(2.0))
    assert abs(given["jensen"][0] - expected) < 4 * given["jensen_error"][0]


def test_filter_directions_are_as_long_as_the_filter_and_leave_biases(make_runs):
    """One filter of norm sqrt(n) and a round basin: every ray crosses at sqrt(cutoff / n) / scale."""
    given = basin_volume(quadratic([2.0] * 9), rays=3, cutoff=CUTOFF)
    np.testing.assert_allclose(given["radius"], np.sqrt(CUTOFF) / 2 / 3, rtol=1e-4)
    runs = make_runs(hidden=[5])
    assert basin_volume(runs, rays=1, cutoff=3.0)["dimension"].tolist() == [15 + 15] * 3
    assert (
        basin_volume(runs, rays=1, cutoff=3.0, directions="plain")["dimension"].tolist()
        == [15 + 5 + 15 + 3] * 3
    )


def test_radii_are_where_the_loss_is_the_cutoff(make_runs):
    """Each radius solves L(w + r phi) = cutoff."""
    runs = make_runs(seeds=(3,), dtype=torch.float64, activation="relu")
    centre = float(runs.mean_loss("train")[0])
    rays = rays_of(runs, 4)
    given = basin_volume(runs, rays=4, cutoff=2 * centre, directions="plain")
    for ray, radius in zip(rays, given["radius"][0], strict=True):
        moved = {name: value + radius * ray[name] for name, value in runs.state.parameters.items()}
        assert float(runs.mean_loss("train", moved)[0]) == pytest.approx(2 * centre, rel=1e-3)
    np.testing.assert_allclose(given["centre_loss"], centre, rtol=1e-12)


def rays_of(runs: Runs, count: int) -> list[dict[str, Tensor]]:
    return list(draws(runs.state.parameters, generator("basin_volume", 3), kind="plain", count=count))


def test_plain_directions_have_length_one(make_runs):
    for ray in rays_of(make_runs(), 5):
        assert sum(float(value.double().square().sum()) for value in ray.values()) == pytest.approx(
            1, abs=1e-6
        )


def test_rays_that_never_leave_count_as_open_at_the_reach(make_runs):
    runs = make_runs(seeds=(0,))
    flat = replace(runs, loss=lambda outputs, targets: outputs[:, 0] * 0.0)
    given = basin_volume(flat, rays=6, cutoff=CUTOFF, reach=3.0)
    assert given["open_rays"].tolist() == [1.0]
    assert given["radius"].tolist() == [[3.0] * 6]
    np.testing.assert_allclose(given["log_volume"], log_ball(30) + 30 * np.log(3.0))


def test_outside_its_basin_a_network_has_no_volume_and_no_nan(make_runs):
    given = basin_volume(make_runs(), rays=3, cutoff=1e-3)
    assert np.isneginf(given["log_volume"]).all() and np.isneginf(given["jensen"]).all()
    assert not any(np.isnan(value).any() for value in given.values())
    assert (given["centre_loss"] > 1e-3).all() and (given["radius"] == 0).all()


def test_effective_rays_count_what_carries_the_mean():
    even = volumes(np.full((1, 50), 2.0), 1000)
    assert even["effective_rays"] == pytest.approx(50)
    uneven = volumes(np.array([[1.0] * 49 + [2.0]]), 1000)
    assert uneven["effective_rays"] == pytest.approx(1)
    assert float(uneven["log_volume"][0]) == pytest.approx(log_ball(1000) + 1000 * np.log(2) - np.log(50))


Height = Callable[[np.ndarray], np.ndarray]


@pytest.mark.parametrize(
    ("height", "expected"),
    [
        (lambda r: r**2, 1.0),
        (lambda r: (r / 3) ** 9, 3.0),
        (lambda r: 1e6 * r**2, 1e-3),
        (lambda r: np.where(r < 0.7, 0.0, 5.0), 0.7),
        (lambda r: np.where(r < 0.7, 0.2, np.nan), 0.7),
        (lambda r: np.exp(r) - 1, np.log(2)),
        (lambda r: 0.999 + 0.1 * np.tanh(r - 1) + r * 0, 1 + np.arctanh(0.01)),
    ],
)
def test_crossings_of_known_functions(height: Height, expected: float):
    evaluations = 0

    def heights(places: np.ndarray, distances: np.ndarray) -> np.ndarray:
        nonlocal evaluations
        evaluations += len(places)
        return height(distances)

    found = crossings(heights, count=3, level=1.0, reach=100.0, tolerance=1e-6)
    np.testing.assert_allclose(found, expected, rtol=2e-6)
    assert evaluations / 3 < 45


def test_smooth_crossings_need_few_evaluations():
    calls = []

    def heights(places: np.ndarray, distances: np.ndarray) -> np.ndarray:
        calls.append(len(places))
        return 0.01 + (distances * (1 + places / 7)) ** 3

    crossings(heights, count=7, level=1.0, reach=100.0, tolerance=1e-4)
    assert sum(calls) / 7 <= 9
