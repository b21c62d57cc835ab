"""A member's numbers do not depend, to the bit, on what it is stacked with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from gendsl_runtime.analyses.complexity.margins import margins
from gendsl_runtime.analyses.complexity.parameter_count import parameter_count
from gendsl_runtime.analyses.complexity.path_norm import path_norm
from gendsl_runtime.analyses.complexity.weight_norms import weight_norms
from gendsl_runtime.analyses.curvature.hessian_top import hessian_top
from gendsl_runtime.analyses.examples.el2n import el2n
from gendsl_runtime.analyses.prediction.accuracy import accuracy
from gendsl_runtime.analyses.prediction.decision_boundary import decision_boundary
from gendsl_runtime.analyses.prediction.generalization_gap import generalization_gap
from gendsl_runtime.analyses.prediction.loss import loss
from gendsl_runtime.analyses.sharpness.basin_volume import basin_volume
from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.losses.cross_entropy import cross_entropy
from gendsl_runtime.models.cnn import cnn
from gendsl_runtime.models.random_features import random_features
from gendsl_runtime.models.resnet import resnet
from gendsl_runtime.network import Network
from gendsl_runtime.runs import Runs
from gendsl_runtime.train.build import StackedLoss

ANALYSES: dict[str, Callable[[Runs], Mapping[str, Any]]] = {
    "accuracy": accuracy,
    "loss": loss,
    "generalization_gap": generalization_gap,
    "margins": margins,
    "weight_norms": weight_norms,
    "path_norm": path_norm,
    "parameter_count": parameter_count,
    "el2n": el2n,
    "decision_boundary": lambda runs: decision_boundary(runs, resolution=9),
    "hessian_top": lambda runs: hessian_top(runs, count=3, iterations=20),
    "basin_volume": lambda runs: basin_volume(runs, rays=7, cutoff=2.0),
    "basin_volume plain": lambda runs: basin_volume(runs, rays=7, cutoff=2.0, directions="plain"),
}
SHARED = {"layer", "rank"}
"""Coordinates without a member axis."""


@pytest.mark.parametrize("name", ANALYSES)
@pytest.mark.parametrize("is_shared", [True, False])
def test_alone_in_a_stack_and_in_another_order(
    make_runs: Callable[..., Runs], name: str, is_shared: bool
) -> None:
    runs = make_runs(seeds=(5, 0, 9, 2), features=2, train=530, test=37, is_shared=is_shared, hidden=[7, 5])
    whole = ANALYSES[name](runs)
    for members in ([2], [3, 2, 1], [0]):
        part = ANALYSES[name](runs.select(members))
        for quantity in whole.keys() - SHARED:
            for place, member in enumerate(members):
                np.testing.assert_array_equal(
                    np.asarray(part[quantity][place]), np.asarray(whole[quantity][member]), err_msg=quantity
                )


@pytest.mark.parametrize(
    "name", [name for name in ANALYSES if name not in {"path_norm", "decision_boundary"}]
)
@pytest.mark.parametrize("model", ["cnn", "group", "batch", "random_features"])
def test_other_networks(model: str, name: str) -> None:
    """Convolutions, both normalisations, and a network whose trained part starts at zero."""
    runs = images(model)
    whole = ANALYSES[name](runs)
    part = ANALYSES[name](runs.select([1]))
    for quantity in whole.keys() - SHARED:
        found = np.asarray(whole[quantity][1])
        np.testing.assert_array_equal(np.asarray(part[quantity][0]), found, err_msg=quantity)
        assert not np.isnan(found).any()


@pytest.mark.parametrize("name", ["loss", "hessian_top", "basin_volume", "generalization_gap"])
def test_members_keep_their_own_loss(make_runs: Callable[..., Runs], name: str) -> None:
    smoothing = {"label_smoothing": torch.tensor([0.1, 0.2, 0.3])}
    runs = replace(make_runs(features=2), loss=StackedLoss(cross_entropy, {}, smoothing))
    whole = ANALYSES[name](runs)
    for member in range(3):
        part = ANALYSES[name](runs.select([member]))
        for quantity in whole.keys() - SHARED:
            found = np.asarray(part[quantity])[0]
            np.testing.assert_array_equal(found, np.asarray(whole[quantity])[member], err_msg=quantity)


def images(model: str) -> Runs:
    chance = torch.Generator().manual_seed(0)
    splits = {
        name: Split(
            torch.randn(size, 1, 8, 8, generator=chance), torch.randint(0, 3, (size,), generator=chance)
        )
        for name, size in (("train", 20), ("test", 13))
    }
    networks: dict[str, Callable[[], Network]] = {
        "cnn": lambda: cnn((1, 8, 8), 3),
        "group": lambda: resnet((1, 8, 8), 3, norm="group"),
        "batch": lambda: resnet((1, 8, 8), 3, norm="batch"),
        "random_features": lambda: random_features((1, 8, 8), 3),
    }
    network = networks[model]()
    data = Dataset(splits, "classification", (1, 8, 8), 3)
    return Runs(network, network.init((0, 1, 2)), (data,) * 3, (0, 1, 2), log_loss)


def log_loss(outputs: Tensor, targets: Tensor) -> Tensor:
    return torch.nn.functional.cross_entropy(outputs, targets, reduction="none")


@pytest.mark.parametrize("name", ANALYSES)
def test_twice_is_the_same_and_nothing_is_changed(make_runs: Callable[..., Runs], name: str) -> None:
    runs = make_runs(features=2)
    before = {key: value.clone() for key, value in runs.state.parameters.items()}
    first, second = ANALYSES[name](runs), ANALYSES[name](runs)
    for quantity, values in first.items():
        np.testing.assert_array_equal(np.asarray(values), np.asarray(second[quantity]))
    for key, value in runs.state.parameters.items():
        np.testing.assert_array_equal(value, before[key])
