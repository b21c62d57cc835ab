"""Distances from the boundary: closed forms for linear classifiers, a fine grid for curved boundaries."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gendsl_runtime.analyses.robustness.minimal_perturbation import minimal_perturbation
from gendsl_runtime.models.linear import linear


@pytest.mark.parametrize(("norm", "dual"), [("l2", 2), ("linf", 1)])
def test_linear_classifiers_are_exact(make_runs, norm, dual):
    runs = make_runs(network=linear((3,), 4), classes=4, test=530, dtype=torch.float64)
    found = minimal_perturbation(runs, norm=norm)
    for member in range(runs.members):
        weight = runs.state.parameters["output.weight"][member].numpy()
        x, y = (part[member].numpy() for part in runs.split("test"))
        scores = x @ weight.T + runs.state.parameters["output.bias"][member].numpy()
        expected = []
        for row, label in zip(scores, y, strict=True):
            others = [c for c in range(4) if c != label]
            leads = [(row[label] - row[c]) / np.linalg.norm(weight[label] - weight[c], dual) for c in others]
            expected.append(max(0.0, min(leads)))
        np.testing.assert_allclose(found["distance"][member], expected, rtol=2e-7, atol=1e-12)
    assert (found["found"] == 1).all()


def test_curved_boundaries_in_the_plane_against_a_fine_grid(make_runs):
    runs = make_runs(features=2, test=40, hidden=[8], seeds=(1, 4), classes=2, scale=3.0)
    found = minimal_perturbation(runs)["distance"]
    side, reach = 401, 5.0
    ticks = torch.linspace(-reach, reach, side)
    grid = torch.stack(torch.meshgrid(ticks, ticks, indexing="ij"), -1).reshape(1, -1, 2).expand(2, -1, 2)
    labels = runs.outputs(grid).argmax(1)
    inputs, targets = runs.split("test")
    spacing = 2 * reach / (side - 1) * np.sqrt(2)
    checked = 0
    for member in range(2):
        for example in range(40):
            others = grid[member][labels[member] != targets[member, example]]
            true = float((others - inputs[member, example]).norm(dim=1).min()) if len(others) else np.inf
            own = float(found[member, example])
            if own == 0 or true > reach - 2:
                continue
            # A mistake on the grid is at most a diagonal further than the nearest one; what is found is one.
            assert own >= true - spacing
            checked += own <= 1.3 * true + spacing
    assert checked >= 10


def test_a_constant_network_has_no_boundary(make_runs):
    runs = make_runs(network=linear((3,), 2), classes=2)
    runs.state.parameters["output.weight"].zero_()
    runs.state.parameters["output.bias"].copy_(torch.tensor([1.0, 0.0]))
    found = minimal_perturbation(runs)
    zero = (runs.split("test")[1] == 0).numpy()
    np.testing.assert_array_equal(np.isinf(found["distance"].numpy()), zero)
    np.testing.assert_allclose(found["found"], 1 - zero.mean(1))
