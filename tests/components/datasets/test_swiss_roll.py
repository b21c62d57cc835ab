"""The spiral arms against their closed form."""

from __future__ import annotations

import math

import numpy as np
from scipy import stats

from gendsl_runtime.datasets.swiss_roll import LENGTH, UNIT, swiss_roll


def paper_points(**parameters: float) -> tuple[np.ndarray, np.ndarray]:
    """Points in the paper's coordinates, and labels."""
    split = swiss_roll(**parameters).split("train")
    return split.inputs.double().numpy() * UNIT, split.targets.numpy()


def test_without_noise_points_lie_on_the_arm_of_their_class():
    points, labels = paper_points(train=500, noise=0.0)
    # The arm of class 0 is 1.5 a (-cos a, sin a): its radius says how far it has turned.
    angle = np.linalg.norm(points, axis=1) / 1.5
    arm = 1.5 * angle[:, None] * np.stack([-np.cos(angle), np.sin(angle)], axis=1)
    expected = np.where(labels[:, None] == 0, arm, -arm)
    # Rounding to float32 moves a coordinate by 2^-24 * UNIT at most and so the angle by sqrt(2) / 1.5 of it;
    # the arm moves 1.5 * sqrt(1 + a^2) < 15.8 for each radian.
    moved = 2**-24 * UNIT
    np.testing.assert_allclose(points, expected, rtol=0, atol=moved * (1 + math.sqrt(2) / 1.5 * 15.8))


def test_the_outer_end_has_turned_600_degrees_and_lies_at_radius_two():
    assert math.isclose(math.degrees(LENGTH), 600)
    assert math.isclose(1.5 * LENGTH / UNIT, 2)


def test_points_spread_evenly_over_the_area():
    points, _ = paper_points(train=4000, noise=0.0)
    area = (np.linalg.norm(points, axis=1) / (1.5 * LENGTH)) ** 2
    assert stats.kstest(area, "uniform").pvalue > 1e-4


def test_noise_has_the_deviation_asked_for():
    quiet, _ = paper_points(train=4000, noise=0.0)
    noisy, _ = paper_points(train=4000, noise=0.5)
    error = (noisy - quiet).ravel() / 0.5
    assert stats.kstest(error, "norm").pvalue > 1e-4


def test_classes_are_of_equal_size_and_splits_differ():
    data = swiss_roll(train=400, held_back=400, test=400)
    assert all(split.targets.sum() == 200 for split in data.splits.values())
    assert (data.split("train").inputs != data.split("held_back").inputs).any(1).all()


def test_a_larger_training_set_begins_with_the_smaller_one():
    small, large = swiss_roll(train=50, test=10), swiss_roll(train=80, test=10)
    assert (large.split("train").inputs[:50] == small.split("train").inputs).all()
    assert (large.split("test").inputs == small.split("test").inputs).all()
