"""Stiffness against explicit gradients, pair by pair."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
import torch

from gendsl_runtime.analyses.examples.stiffness import stiffness
from gendsl_runtime.models.cnn import cnn
from gendsl_runtime.models.rnn import rnn
from tests.components.analyses.examples.explicit import gradients, images


def check(runs, member, given):
    rows, labels = gradients(runs, member).numpy(), runs.split("train")[1][member].numpy()
    found = {name: [] for name in given}
    for i, j in permutations(range(len(rows)), 2):
        product = rows[i] @ rows[j]
        kind = "_within" if labels[i] == labels[j] else "_between"
        for name, value in (
            ("cosine", product / np.linalg.norm(rows[i]) / np.linalg.norm(rows[j])),
            ("sign", np.sign(product)),
        ):
            found[name].append(value)
            found[name + kind].append(value)
    for name, values in found.items():
        np.testing.assert_allclose(given[name][member], np.mean(values), rtol=1e-9, atol=1e-12)


def test_dense_networks(make_runs):
    runs = make_runs(dtype=torch.float64, train=25, norm="layer")
    for member in range(3):
        check(runs, member, stiffness(runs))


@pytest.mark.parametrize(
    "network", [cnn((1, 8, 8), 3, channels=(2, 3), hidden=(5,)), rnn((1, 8, 8), 3)], ids=["cnn", "rnn"]
)
def test_other_networks(network):
    runs = images(network)
    check(runs, 1, stiffness(runs))


def test_convolutions_in_pieces():
    runs = images(cnn((1, 8, 8), 3, channels=(2, 3), hidden=(5,)), 70)
    check(runs, 0, stiffness(runs))


def test_pairs_that_do_not_occur(make_runs):
    runs = make_runs(classes=1, train=10)
    assert np.isnan(stiffness(runs)["cosine_between"]).all()
    assert np.isfinite(stiffness(make_runs(train=50), examples=20)["cosine"]).all()
