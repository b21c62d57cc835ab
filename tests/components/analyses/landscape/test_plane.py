"""Corners are the runs; the rest by weights put together by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gendsl_runtime.analyses.landscape.plane import plane
from gendsl_runtime.measures import vectors
from gendsl_runtime.network import State
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Groups


def test_places_of_the_plane(make_runs):
    runs = make_runs((0, 1, 2), is_shared=True, train=40)
    found = plane(Groups((runs,), ("a", "b", "c")), over="run", points=7, margin=0.5)
    weights = vectors.flat(runs.state.parameters).double().numpy()
    u, third = weights[1] - weights[0], weights[2] - weights[0]
    v = third - (u @ third) / (u @ u) * u
    assert found["foot"][0] == pytest.approx((u @ third) / (u @ u), rel=1e-9)
    assert found["base"][0] == pytest.approx(np.linalg.norm(u), rel=1e-12)
    assert found["height"][0] == pytest.approx(np.linalg.norm(v), rel=1e-9)
    one = runs.select([0])
    for i, x in enumerate(found["x"]):
        for j, y in enumerate(found["y"]):
            place = vectors.shaped(
                one.state.parameters["output.bias"].new_tensor((weights[0] + x * u + y * v)[None]),
                one.state.parameters,
            )
            at = replace(one, state=State(place, one.state.buffers))
            assert found["loss"][0, i, j] == pytest.approx(float(at.mean_loss("train")), rel=5e-6)
    assert found["corner_loss"][0] == pytest.approx(runs.mean_loss("train").numpy(), rel=1e-15)
    assert found["corner_error"][0] == pytest.approx(runs.error("train").numpy())
    assert list(found["corner"]) == ["a", "b", "c"]


def test_three_different_runs_are_needed(make_runs):
    runs = make_runs((0, 1, 2), is_shared=True)
    with pytest.raises(Problem, match="through three runs, and there are 2 along `seed`"):
        plane(Groups((runs.select([0, 1]),), (0, 1)), over="seed")
    with pytest.raises(Problem, match="on one line"):
        plane(Groups((runs.select([0, 1, 1]),), (0, 1, 2)), over="seed")
