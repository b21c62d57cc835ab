"""Margins against numpy."""

from __future__ import annotations

import numpy as np

from gendsl_runtime.analyses.complexity.margins import margins
from gendsl_runtime.analyses.prediction.accuracy import accuracy
from gendsl_runtime.models.linear import linear


def test_margins_of_each_example_by_hand(make_runs):
    runs = make_runs(classes=4, train=33)
    given = margins(runs)
    for member in range(runs.members):
        outputs = runs.outputs(runs.split("train")[0])[member].double().numpy().T
        labels = runs.split("train")[1][member].numpy()
        expected = [
            row[label] - np.delete(row, label).max() for row, label in zip(outputs, labels, strict=True)
        ]
        np.testing.assert_allclose(given["margin"][member], expected, rtol=0, atol=0)
        assert float(given["median"][member]) == np.median(expected)
        assert float(given["lowest"][member]) == min(expected)


def test_negative_margins_are_the_errors(make_runs):
    runs = make_runs(train=200)
    shares = (margins(runs)["margin"] < 0).double().mean(1)
    np.testing.assert_allclose(shares, accuracy(runs, on="train")["error"], atol=1e-15)


def test_normalised_margins_of_a_linear_map_do_not_see_its_scale(make_runs):
    network = linear((3,), 3, bias=False)
    runs = make_runs(network=network)
    weight = runs.state.parameters["output.weight"]
    before = margins(runs)
    expected = before["margin"][1] / np.linalg.norm(weight[1].numpy().astype(float), 2)
    np.testing.assert_allclose(before["normalised"][1], expected, rtol=1e-12)
    weight.mul_(8)  # a power of two: exact
    after = margins(runs)
    np.testing.assert_allclose(after["margin"], 8 * before["margin"], rtol=0)
    np.testing.assert_allclose(after["normalised"], before["normalised"], rtol=1e-12)
