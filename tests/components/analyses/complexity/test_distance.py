"""Against numpy on flat vectors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from gendsl_runtime.analyses.complexity.distance import distance
from gendsl_runtime.problem import Problem


def flat(runs, member, names):
    return np.concatenate([runs.state.parameters[name][member].double().numpy().ravel() for name in names])


def test_distances_of_flat_vectors(make_runs):
    runs, other = make_runs((0, 1)), make_runs((5, 6))
    found = distance(runs, other=other)
    names = list(runs.state.parameters)
    assert list(found["tensor"]) == names
    for member in range(2):
        w, v = flat(runs, member, names), flat(other, member, names)
        assert found["l2"][member] == pytest.approx(np.linalg.norm(w - v), rel=1e-12)
        assert found["relative"][member] == pytest.approx(
            np.linalg.norm(w - v) / np.linalg.norm(v), rel=1e-12
        )
        assert found["cosine"][member] == pytest.approx(
            w @ v / np.linalg.norm(w) / np.linalg.norm(v), abs=1e-12
        )
        for place, name in enumerate(names):
            w, v = flat(runs, member, [name]), flat(other, member, [name])
            assert found["l2_by_tensor"][member, place] == pytest.approx(np.linalg.norm(w - v), rel=1e-12)


def test_biases_may_be_left_out_and_zero_has_no_direction(make_runs):
    runs = make_runs((0, 1))
    still = replace(runs, state=runs.network.init([0, 1]))
    still.state.parameters.update({n: torch.zeros_like(t) for n, t in still.state.parameters.items()})
    found = distance(runs, other=still, biases=False)
    assert all("bias" not in str(name) for name in found["tensor"])
    assert np.isnan(found["relative"]).all() and np.isnan(found["cosine"]).all()
    assert found["l2"] == pytest.approx(found["norm"])


def test_other_networks_are_refused(make_runs):
    with pytest.raises(Problem, match="5 x 3 in one and 6 x 3 in the other") as told:
        distance(make_runs(), other=make_runs(hidden=[6]))
    assert told.value.code == "different-networks"
