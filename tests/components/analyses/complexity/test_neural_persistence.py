"""Neural persistence against a union-find over sorted edges and a spanning tree of scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial.distance import cdist

from gendsl_runtime.analyses.complexity.neural_persistence import neural_persistence
from gendsl_runtime.measures.persistence import merging_distances, merging_weights


def by_union(weights):
    """Kruskal's algorithm, edge after edge."""
    rows, columns = weights.shape
    parent = list(range(rows + columns))

    def root(vertex):
        while parent[vertex] != vertex:
            vertex = parent[vertex]
        return vertex

    found = []
    for edge in np.argsort(-weights, axis=None, kind="stable"):
        ends = root(edge // columns), root(rows + edge % columns)
        if ends[0] != ends[1]:
            parent[ends[0]] = ends[1]
            found.append(weights.flat[edge])
    return np.array(found)


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (7, 2), (9, 13)])
def test_merging_weights(shape):
    weights = np.random.default_rng(0).random(shape).round(1)  # with equal ones
    np.testing.assert_array_equal(np.sort(merging_weights(weights)), np.sort(by_union(weights)))


def test_merging_distances():
    points = np.random.default_rng(0).standard_normal((40, 3))
    expected = np.sort(minimum_spanning_tree(cdist(points, points)).data)
    np.testing.assert_allclose(merging_distances(points), expected, rtol=1e-13)


def test_layers_by_hand(make_runs):
    runs = make_runs(features=4, hidden=[6])
    for power in (1.0, 2.0):
        given = neural_persistence(runs, power=power)
        weights = [
            runs.state.parameters[f"{name}.weight"][1].double().abs().numpy()
            for name in ("hidden.0", "output")
        ]
        largest = max(weight.max() for weight in weights)
        for place, weight in enumerate(weights):
            lives = 1 - by_union(weight / largest)
            total = np.linalg.norm(lives, power)
            np.testing.assert_allclose(given["total"][1, place], total, rtol=1e-12)
            highest = (sum(weight.shape) - 1) ** (1 / power)
            np.testing.assert_allclose(given["persistence"][1, place], total / highest, rtol=1e-12)


def test_what_changes_nothing_and_what_does(make_runs):
    runs = make_runs(features=4, hidden=[6])
    values = runs.state.parameters
    before = neural_persistence(runs)
    for value in values.values():
        value.mul_(-4)
    np.testing.assert_array_equal(neural_persistence(runs)["total"], before["total"])
    for name, side in (("hidden.0.weight", 1), ("output.weight", 2)):
        values[name].copy_(values[name].flip(side))
    np.testing.assert_allclose(neural_persistence(runs)["total"], before["total"], rtol=1e-13)
    values["hidden.0.weight"].mul_(2)
    values["output.weight"].div_(2)
    assert (neural_persistence(runs)["mean"] != before["mean"]).all()


def test_bounds(make_runs):
    runs = make_runs()
    for value in runs.state.parameters.values():
        value.fill_(0.25)
    assert (neural_persistence(runs)["mean"] == 0).all()
    for value in runs.state.parameters.values():
        value.zero_()
    assert (neural_persistence(runs)["mean"] == 1).all()
