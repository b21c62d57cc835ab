"""Ranks of Jacobians against those torch computes, and of networks that can have no more."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from gendsl_runtime.analyses.representations.local_rank import local_rank
from gendsl_runtime.models.cnn import cnn
from gendsl_runtime.runs import Runs


def test_against_jacobians_by_torch(make_runs: Callable[..., Runs]) -> None:
    runs = make_runs((0, 1), features=4, hidden=[6, 3], test=5)
    found = local_rank(runs, tolerance=0.2)
    for member in range(2):
        values = {name: tensor[member].double() for name, tensor in runs.state.parameters.items()}

        def first(x: torch.Tensor, values: dict[str, torch.Tensor] = values) -> torch.Tensor:
            return torch.tanh(values["hidden.0.weight"] @ x + values["hidden.0.bias"])

        def second(x: torch.Tensor, values: dict[str, torch.Tensor] = values) -> torch.Tensor:
            return torch.tanh(values["hidden.1.weight"] @ first(x) + values["hidden.1.bias"])

        for place, layer in enumerate((first, second)):
            jacobians = [torch.func.jacrev(layer)(x.double()) for x in runs.split("test")[0][member]]
            sizes = [torch.linalg.svdvals(jacobian).numpy() for jacobian in jacobians]
            ranks = [(s > 0.2 * s[0]).sum() for s in sizes]
            assert float(found["local_rank"][member, place]) == pytest.approx(np.mean(ranks))
            assert float(found["error"][member, place]) == pytest.approx(np.std(ranks, ddof=1) / np.sqrt(5))
            smooth = [np.exp(-(s / s.sum() * np.log(s / s.sum())).sum()) for s in sizes]
            assert float(found["effective"][member, place]) == pytest.approx(np.mean(smooth))


def test_a_bottleneck_bounds_all_that_follows(make_runs: Callable[..., Runs]) -> None:
    found = local_rank(make_runs(features=5, hidden=[8, 2, 8]))
    assert found["layer"].tolist() == ["hidden.0", "hidden.1", "hidden.2", "output"]
    assert (np.asarray(found["local_rank"])[:, 1:] <= 2).all()
    assert (np.asarray(found["local_rank"])[:, 0] == 5).all()


def test_dead_units_do_not_move(make_runs: Callable[..., Runs]) -> None:
    runs = make_runs((0,), activation="relu")
    runs.state.parameters["hidden.0.bias"].fill_(-1e6)
    np.testing.assert_array_equal(local_rank(runs)["local_rank"], 0)


def test_images(make_runs: Callable[..., Runs]) -> None:
    network = cnn((1, 4, 4), 3, channels=[2], hidden=[])
    runs = make_runs((0,), features=16, network=network)
    data = runs.data[0]
    shaped = {
        name: type(part)(part.inputs.view(-1, 1, 4, 4), part.targets) for name, part in data.splits.items()
    }
    images = Runs(network, runs.state, (type(data)(shaped, data.task, (1, 4, 4), 3),), (0,), runs.loss)
    assert np.asarray(local_rank(images, examples=3)["local_rank"]).shape == (1, 2)
