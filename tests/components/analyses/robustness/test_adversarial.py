"""Attacks against what is known of linear classifiers, and of a saturated softmax."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gendsl_runtime.analyses.prediction.accuracy import accuracy
from gendsl_runtime.analyses.robustness.adversarial import adversarial
from gendsl_runtime.measures.attacks import Ball, lengths
from gendsl_runtime.models.linear import linear
from gendsl_runtime.problem import Problem

RADII = [0.01, 0.05, 0.2, 0.7]


def distances(runs, norm: str) -> np.ndarray:
    """How far each example is from the nearest mistake of a linear classifier, `(members, examples)`: the smallest
    `(f_y - f_c) / |w_y - w_c|_dual` over wrong classes, 0 where it is wrong already."""
    found = []
    for member in range(runs.members):
        weight = runs.state.parameters["output.weight"][member].double().numpy()
        offset = runs.state.parameters["output.bias"][member].double().numpy()
        x, y = (part[member].double().numpy() for part in runs.split("test"))
        y = y.astype(int)
        scores = x @ weight.T + offset
        dual = 1 if norm == "linf" else 2
        row = []
        for example, label in enumerate(y):
            others = [c for c in range(len(offset)) if c != label]
            row.append(
                min(
                    (scores[example, label] - scores[example, c])
                    / np.linalg.norm(weight[label] - weight[c], dual)
                    for c in others
                )
            )
        found.append(np.maximum(row, 0))
    return np.array(found)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_attack_on_two_classes_of_a_linear_classifier_is_exact(make_runs, norm):
    runs = make_runs(network=linear((3,), 2), classes=2, test=700, dtype=torch.float64)
    away = distances(runs, norm)
    possible = np.stack([(away < radius).mean(1) for radius in RADII], 1)
    exact = adversarial(runs, radius=RADII, norm=norm, attack="fgsm")["error"].numpy()
    np.testing.assert_allclose(exact, possible, atol=1e-12)
    found = adversarial(runs, radius=RADII, norm=norm)["error"].numpy()
    assert (found <= possible + 1e-12).all()
    # From a drawn start the way around a sphere ends a little short of its furthest point.
    assert (found >= possible - (0.01 if norm == "l2" else 1e-12)).all()


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_several_classes_are_never_attacked_better_than_possible_and_the_margin_finds_all(make_runs, norm):
    runs = make_runs(network=linear((3,), 4), classes=4, test=300, dtype=torch.float64)
    possible = np.stack([(distances(runs, norm) < radius).mean(1) for radius in RADII], 1)
    for objective in ("cross_entropy", "margin"):
        found = adversarial(runs, radius=RADII, norm=norm, objective=objective, steps=40, restarts=3)[
            "error"
        ].numpy()
        assert (found <= possible + 1e-12).all()
        # Up to three of 300 examples a step size from the edge may be missed.
        assert (found >= possible - 0.01).all()


def test_radius_zero_is_the_accuracy(make_runs):
    runs = make_runs(test=600)
    found = adversarial(runs, radius=[0.0], steps=2)
    np.testing.assert_array_equal(found["accuracy"][:, 0], accuracy(runs, on="test")["accuracy"])


def test_a_saturated_softmax_hides_its_gradient_from_one_objective_only(make_runs):
    runs = make_runs(network=linear((3,), 2, bias=False), classes=2, test=50)
    runs.state.parameters["output.weight"].mul_(1e6)
    hidden = adversarial(runs, radius=[0.5], attack="fgsm")
    open_ = adversarial(runs, radius=[0.5], attack="fgsm", objective="margin")
    assert (hidden["flat"] > 0.9 * hidden["accuracy"]).all()
    assert (open_["flat"] == 0).all()
    assert (open_["error"] > hidden["error"]).all()


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_points_stay_in_the_ball_and_in_the_range(norm):
    ball = Ball(norm, 0.3, 0.0, 1.0)
    chance = np.random.default_rng(0)
    centres = torch.from_numpy(chance.random((2, 40, 5)))
    near = ball.nearest(centres + torch.from_numpy(chance.standard_normal((2, 40, 5))), centres)
    change = near - centres
    size = change.abs().flatten(2).amax(2) if norm == "linf" else lengths(change).flatten()
    assert float(size.max()) <= 0.3 + 1e-12
    assert float(near.min()) >= 0 and float(near.max()) <= 1
    inside = centres + 0.01
    torch.testing.assert_close(ball.nearest(inside.clamp(0, 1), centres), inside.clamp(0, 1))


def test_uniform_in_the_ball():
    draws = Ball("l2", 2.0).uniform([np.random.default_rng(1)], torch.zeros(1, 4000, 3, dtype=torch.float64))
    # |x|^3 / 8 is uniform on (0, 1): its mean is 1/2 with a standard error of 1/sqrt(12 * 4000).
    assert abs(float((lengths(draws) ** 3 / 8).mean()) - 0.5) < 4 / np.sqrt(12 * 4000)


def test_a_range_that_the_data_do_not_keep_is_refused(make_runs):
    with pytest.raises(Problem, match="outside the range"):
        adversarial(make_runs(), low=0.0, high=1.0)
