"""Against scikit-learn's PCA on flat vectors, and a path that lies in a plane."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from gendsl_runtime.analyses.landscape.trajectory import trajectory
from gendsl_runtime.measures import vectors
from gendsl_runtime.network import State
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Groups


def test_components_of_scikit_learn(make_runs):
    runs = make_runs((0, 1, 2, 3, 4), is_shared=True)
    found = trajectory(Groups((runs,), (0, 1, 2, 5, 9)), over="epoch", points=3)
    weights = vectors.flat(runs.state.parameters).double().numpy()
    steps = weights - weights[-1]
    pca = PCA(4, svd_solver="full").fit(steps)
    assert found["explained"][0] == pytest.approx(pca.explained_variance_ratio_, rel=1e-9)
    expected = steps @ pca.components_.T
    assert np.abs(found["place"][0]) == pytest.approx(np.abs(expected), abs=1e-8)
    assert (found["place"][0][0] >= 0).all() and found["place"][0][-1] == pytest.approx(0, abs=1e-12)
    assert found["span"][0] == pytest.approx(np.abs(expected).max(0), rel=1e-9)
    assert found["straight"][0] == pytest.approx(np.linalg.norm(steps[0]), rel=1e-12)
    assert found["length"][0] == pytest.approx(
        np.linalg.norm(np.diff(weights, axis=0), axis=1).sum(), rel=1e-12
    )
    assert found["path_loss"][0] == pytest.approx(runs.mean_loss("train").numpy(), rel=1e-15)
    assert list(found["state"]) == [0, 1, 2, 5, 9] and list(found["component"]) == [1, 2, 3, 4]


def test_a_path_in_a_plane_has_two_components_and_lies_on_its_surface(make_runs):
    runs = make_runs((0, 1, 2), is_shared=True, dtype=torch.float64)
    weights = vectors.flat(runs.state.parameters)
    u, v = weights[1] - weights[0], weights[2] - weights[0]
    angles = torch.linspace(0, 1.5, 4, dtype=torch.float64)
    path = weights[:1] + torch.sin(angles)[:, None] * u + torch.cos(angles)[:, None] * v
    longer = replace(
        runs.select([0, 0, 0, 0]),
        state=State(vectors.shaped(path, runs.state.parameters), runs.state.buffers),
    )
    found = trajectory(Groups((longer,), (0, 1, 2, 3)), over="epoch", points=3, margin=0.0)
    assert found["explained"][0][:2].sum() == pytest.approx(1, abs=1e-12)
    assert found["explained"][0][2] < 1e-12
    # The middle of the grid is the last state.
    assert found["loss"][0, 1, 1] == pytest.approx(found["path_loss"][0, -1], rel=1e-12)
    # The first state has the largest place along the first component; its loss is on the plane's edge or beyond.
    scaled = found["place"][0] / np.where(found["span"][0] > 0, found["span"][0], 1)
    assert np.abs(scaled[:, :2]).max() == pytest.approx(1)


def test_two_states_are_too_few(make_runs):
    with pytest.raises(Problem, match="three states or more, and there are 2"):
        trajectory(Groups((make_runs((0, 1), is_shared=True),), (0, 1)), over="epoch")
