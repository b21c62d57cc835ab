"""Components and loops against spanning trees, polygons and circles."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial.distance import cdist, pdist

from gendsl_runtime.analyses.complexity.topology import topology
from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.measures.persistence import bars
from gendsl_runtime.models.mlp import mlp
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Runs


def cloud(points: np.ndarray, labels: np.ndarray | None = None, **more) -> Runs:
    """A network that hands the points on as they are, then doubled."""
    labels = np.zeros(len(points), dtype=np.int64) if labels is None else labels
    features = points.shape[1]
    split = Split(torch.from_numpy(points).float(), torch.from_numpy(labels))
    data = Dataset({"train": split}, "classification", (features,), features)
    network = mlp((features,), features, hidden=(features,), activation="identity", bias=False)
    state = network.init((0,))
    for value in state.parameters.values():
        value.copy_(torch.eye(features) * 2)
    return Runs(network, state, (data,), (0,), lambda outputs, targets: outputs[:, 0])


def polygon(corners: int, radius: float = 1.0) -> np.ndarray:
    angle = 2 * np.pi * np.arange(corners) / corners
    return radius * np.stack([np.cos(angle), np.sin(angle)], 1)


@pytest.mark.parametrize(("corners", "death"), [(4, 2.0), (6, np.sqrt(3)), (9, np.sqrt(3))])
def test_the_loop_of_a_polygon(corners, death):
    """It appears with the sides, and is filled with the longest edges of the first triangle around the centre."""
    pytest.importorskip("gudhi")
    found = bars(polygon(corners), dimension=1)
    longest = found[(found[:, 1] - found[:, 0]).argmax()]
    np.testing.assert_allclose(longest, [2 * np.sin(np.pi / corners), death], rtol=1e-12)


def test_components_are_those_of_gudhi_and_of_a_spanning_tree():
    points = np.random.default_rng(0).standard_normal((40, 3))
    expected = np.sort(minimum_spanning_tree(cdist(points, points)).data)
    np.testing.assert_allclose(bars(points, dimension=0)[:, 1], expected, rtol=1e-13)
    gudhi = pytest.importorskip("gudhi")
    tree = gudhi.RipsComplex(points=points).create_simplex_tree(max_dimension=1)
    tree.compute_persistence()
    deaths = tree.persistence_intervals_in_dimension(0)[:, 1]
    np.testing.assert_allclose(
        bars(points, dimension=0)[:, 1], np.sort(deaths[np.isfinite(deaths)]), rtol=1e-6
    )


def test_figures_of_each_layer():
    points = np.random.default_rng(1).standard_normal((30, 2)).astype(np.float32).astype(float)
    given = topology(cloud(points), scale=0.3)
    assert given["layer"].tolist() == ["input", "hidden.0", "output"]
    unit = np.median(pdist(points))
    np.testing.assert_allclose(given["distance"][0], [unit, 2 * unit, 4 * unit], rtol=1e-6)
    deaths = minimum_spanning_tree(cdist(points, points)).data / unit
    shares = deaths / deaths.sum()
    for place in range(3):
        assert given["betti"][0, place] == 1 + (deaths > 0.3).sum()
        assert given["persistence"][0, place] == pytest.approx(deaths.sum(), rel=1e-6)
        assert given["longest"][0, place] == pytest.approx(deaths.max(), rel=1e-6)
        assert given["entropy"][0, place] == pytest.approx(-(shares * np.log(shares)).sum(), rel=1e-6)


def test_two_rings_have_two_loops_and_one_class_one():
    pytest.importorskip("gudhi")
    points = np.concatenate([polygon(20), polygon(20) + np.array([5.0, 0.0])])
    labels = np.repeat([0, 1], 20)
    assert topology(cloud(points), dimension=1, scale=0.2)["betti"].tolist() == [[2, 2, 2]]
    assert topology(cloud(points), dimension=0, scale=0.2)["betti"].tolist() == [[2, 2, 2]]
    one = topology(cloud(points, labels), dimension=1, scale=0.5, of_class=1)
    assert one["betti"].tolist() == [[1, 1, 1]]
    assert one["used"].tolist() == [20]


def test_rotations_scales_and_the_order_of_units_do_not_matter():
    points = np.random.default_rng(2).standard_normal((25, 2))
    angle = np.array([[0.6, -0.8], [0.8, 0.6]])
    before = topology(cloud(points))
    for moved in (points @ angle, points[:, ::-1].copy(), 7 * points + 3):
        after = topology(cloud(moved))
        for name in ("betti", "persistence", "entropy", "longest"):
            np.testing.assert_allclose(after[name], before[name], rtol=1e-5)
    stretched = topology(cloud(points * [1, 5]))
    assert abs(stretched["persistence"] / before["persistence"] - 1).min() > 0.01


def test_points_that_coincide_and_clouds_that_are_none():
    given = topology(cloud(np.ones((5, 2))))
    assert given["betti"].tolist() == [[1, 1, 1]]
    assert (given["persistence"] == 0).all()
    with pytest.raises(Problem, match="a cloud of 0 examples"):
        topology(cloud(np.ones((5, 2))), of_class=1)


def test_a_missing_gudhi_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "gudhi", None)
    with pytest.raises(Problem, match="which is not installed") as told:
        topology(cloud(polygon(5)), dimension=1)
    assert told.value.code == "missing-extra"
    assert "gendsl[topology]" in (told.value.help or "")
