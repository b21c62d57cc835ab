"""Influence against counts by hand."""

from __future__ import annotations

import numpy as np
import pytest

from gendsl_runtime.analyses.examples.influence import influence
from gendsl_runtime.analyses.examples.memorisation import memorisation
from gendsl_runtime.runs import Groups
from tests.components.analyses.examples.by_parts import random_parts


def test_counts_by_hand():
    runs = random_parts(11, examples=8, test=6, outputs=2, share=0.5)
    given = influence(Groups((runs,), tuple(range(11))), over="seed")
    labels = runs.data[0].split("test").targets.numpy()
    right = (runs.state.parameters["output.weight"].numpy().argmax(1)[:, 8:] == labels).astype(float)
    is_in = np.array([[place in data.split("train").places for place in range(8)] for data in runs.data])
    for i in range(8):
        for j in range(6):
            inside, outside = right[is_in[:, i], j], right[~is_in[:, i], j]
            assert given["influence"][0, i, j] == pytest.approx(inside.mean() - outside.mean(), abs=1e-14)
            error = np.sqrt(inside.var() / (len(inside) - 1) + outside.var() / (len(outside) - 1))
            assert given["error"][0, i, j] == pytest.approx(error, abs=1e-12)


def test_the_influence_on_itself_is_memorisation():
    runs = random_parts(9, examples=12, test=2, outputs=3)
    groups = Groups((runs, runs.select([2, 1, 0, 3])), tuple(range(9)))
    own = influence(groups, over="seed", on="whole")
    expected = memorisation(groups, over="seed")
    for name, other in (("influence", "memorisation"), ("error", "error")):
        diagonal = np.diagonal(own[name], axis1=1, axis2=2)
        np.testing.assert_allclose(diagonal, expected[other], atol=1e-12)
