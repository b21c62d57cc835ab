"""Radii of perturbations against quadratics, whose nearest bad weights are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from gendsl_runtime.analyses.sharpness.perturbation_radius import perturbation_radius
from gendsl_runtime.network import State
from tests.components.analyses.quadratics import quadratic

SCALES = [1.0, 2.0, 0.5, 1.5]


def test_the_worst_case_of_a_quadratic_is_its_shortest_axis():
    """At the minimum sum (scale e)^2 > c first at sqrt(c) / max scale."""
    given = perturbation_radius(quadratic(SCALES, seeds=(0, 1)), steps=60, tolerance=1e-3)
    exact = np.sqrt(0.1) / 2
    assert (given["ascent_radius"] >= exact * (1 - 1e-3)).all()
    np.testing.assert_allclose(given["ascent_radius"], exact, rtol=5e-3)
    np.testing.assert_allclose(given["radius"], np.minimum(given["ascent_radius"], given["random_radius"]))
    assert given["open"].tolist() == [0, 0]


def test_the_worst_case_of_a_box_is_its_corner():
    """Every coordinate moves by r: r^2 sum scale^2 = c, in every corner alike."""
    given = perturbation_radius(quadratic(SCALES), norm="linf", tolerance=1e-3)
    exact = np.sqrt(0.1 / np.square(SCALES).sum())
    np.testing.assert_allclose(given["radius"], exact, rtol=2e-3)
    np.testing.assert_allclose(given["random_mean"], exact, rtol=2e-3)


def test_random_directions_bound_from_above_and_their_mean_has_an_error():
    """In two dimensions the mean of sqrt(c) / sqrt(cos^2 + 9 sin^2) over the circle, by quadrature."""
    runs = quadratic([1.0, 3.0], seeds=(0, 1, 2))
    given = perturbation_radius(runs, rays=2000, tolerance=1e-3, steps=2)
    angles = np.linspace(0, 2 * np.pi, 4096, endpoint=False)
    exact = np.mean(np.sqrt(0.1) / np.sqrt(np.cos(angles) ** 2 + 9 * np.sin(angles) ** 2))
    assert (abs(given["random_mean"] - exact) < 4 * given["random_error"] + 1e-3 * exact).all()
    assert (given["random_radius"] >= np.sqrt(0.1) / 3 * (1 - 1e-3)).all()
    assert (given["random_radius"] < given["random_mean"]).all()


def test_ascent_finds_nearer_bad_weights_than_chance(make_runs):
    runs = make_runs(hidden=[20, 20], dtype=torch.float64)
    given = perturbation_radius(runs, rays=20)
    assert (given["ascent_radius"] < given["random_radius"] / 2).all()


def test_magnitudes_are_blind_to_rescaling(make_runs):
    runs = make_runs(seeds=(0,), dtype=torch.float64, activation="relu")
    parameters = {name: value.clone() for name, value in runs.state.parameters.items()}
    parameters["hidden.0.weight"] *= 8
    parameters["hidden.0.bias"] *= 8
    parameters["output.weight"] /= 8
    other = replace(runs, state=State(parameters, {}))
    same = [perturbation_radius(one, scale="magnitude", rays=5)["radius"] for one in (runs, other)]
    np.testing.assert_allclose(same[1], same[0], rtol=1e-6)
    differ = [perturbation_radius(one, rays=5)["radius"] for one in (runs, other)]
    assert abs(differ[1] / differ[0] - 1) > 0.2


def test_errors(make_runs):
    """Labels are the network's own; of 30 examples the first rise above 0.1 is four of them."""
    runs = make_runs(seeds=(0,), dtype=torch.float64)
    inputs, _ = runs.split("train")
    own = runs.outputs(inputs).argmax(1)[0]
    split = replace(runs.data[0].splits["train"], targets=own)
    runs = replace(runs, data=(replace(runs.data[0], splits={"train": split}),))
    given = perturbation_radius(runs, of="error", rays=10, norm="linf")
    assert given["open"].tolist() == [0]
    assert 0 < given["radius"][0] <= given["random_radius"][0] <= given["random_mean"][0]


def test_what_never_rises_is_open(make_runs):
    flat = replace(make_runs(seeds=(0,)), loss=lambda outputs, targets: outputs[:, 0] * 0.0)
    given = perturbation_radius(flat, rays=3)
    assert given["open"].tolist() == [1]
    assert given["open_rays"].tolist() == [1.0]
