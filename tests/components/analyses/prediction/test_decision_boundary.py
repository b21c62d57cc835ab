"""The picture of a decision boundary against the network, point by point."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from gendsl_runtime.analyses.prediction.decision_boundary import decision_boundary
from gendsl_runtime.datasets.swiss_roll import swiss_roll
from gendsl_runtime.datasets.with_wrong_labels import with_wrong_labels
from gendsl_runtime.problem import Problem


def test_each_pixel_is_the_network_at_its_coordinates(make_runs):
    runs = make_runs(features=2, classes=3)
    given = decision_boundary(runs, resolution=11, class_=2)
    for member, row, column in [(0, 0, 0), (1, 3, 10), (2, 10, 4)]:
        point = torch.tensor([[given["x"][member][column], given["y"][member][row]]]).float()
        outputs = runs.outputs(point.expand(3, 1, 2))[member, :, 0].double()
        # Float32 outputs of order 1: a score moves by a few times 2^-24 of itself.
        np.testing.assert_allclose(given["score"][member, row, column], outputs.softmax(0)[2], rtol=1e-5)
        assert given["label"][member, row, column] == int(outputs.argmax())


def test_the_grid_covers_the_data_with_a_margin_and_ends_on_round_numbers(make_runs):
    runs = make_runs(features=2, classes=2)
    given = decision_boundary(runs, resolution=5, margin=0.1)
    for member, data in enumerate(runs.data):
        for axis, ticks in enumerate((given["x"][member], given["y"][member])):
            values = data.split("train").inputs[:, axis].double().numpy()
            span = np.ptp(values)
            assert ticks[0] <= values.min() - 0.1 * span and ticks[-1] >= values.max() + 0.1 * span
            assert ticks[-1] - ticks[0] < 1.2 * span + 0.2 * span
            np.testing.assert_allclose(ticks[[0, -1]] * 10, np.round(ticks[[0, -1]] * 10), atol=1e-9)


def test_a_class_that_is_not_there_is_refused(make_runs):
    with pytest.raises(Problem, match="classes are 0 to 1"):
        decision_boundary(make_runs(features=2, classes=2), class_=2)


def test_points_are_those_trained_on_with_the_labels_trained_on(make_runs):
    """Also where members were trained on different numbers of them, and added ones are last."""
    runs = make_runs(features=2, classes=2)
    plain = swiss_roll(train=6, held_back=4, test=2, noise=0.1, seed=3)
    poisoned = with_wrong_labels(plain, from_="held_back")
    given = decision_boundary(replace(runs, data=(plain, poisoned, plain)), resolution=2)
    assert [len(one) for one in given["point_x"]] == [6, 10, 6]
    added, right = plain.split("held_back"), plain.split("train")
    for axis, name in enumerate(("point_x", "point_y")):
        np.testing.assert_array_equal(given[name][0], right.inputs[:, axis])
        np.testing.assert_array_equal(given[name][1][6:], added.inputs[:, axis])
    np.testing.assert_array_equal(given["target"][0], right.targets == 1)
    np.testing.assert_array_equal(given["target"][1][6:], added.targets == 0)
