"""Measures of layers and kernels: a member's bits do not depend on what it is stacked with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gendsl_runtime import components
from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.models.cnn import cnn
from gendsl_runtime.runs import Runs

LAYERS: dict[str, dict[str, Any]] = {
    "cka": {},
    "cka unbiased": {"estimator": "unbiased"},
    "cka minibatch": {"estimator": "minibatch", "batch": 7},
    "cka rbf": {"kernel": "rbf"},
    "svcca": {},
    "pwcca": {},
    "procrustes": {},
    "rsa": {},
    "mutual_knn": {"neighbours": 3},
    "effective_rank": {},
    "twonn": {},
    "mle_dimension": {"neighbours": 5},
    "local_rank": {"examples": 3},
    "neural_collapse": {},
    "linear_probe": {"examples": 40},
    "linear_probe ridge": {"examples": 40, "kind": "ridge"},
    "tangent_kernel": {"examples": 20},
    "kernel_spectrum": {"examples": 12, "of": "full"},
    "kernel_alignment": {"examples": 20},
    "kernel_regression": {"examples": 20, "kind": "empirical"},
}
OTHERS: dict[str, dict[str, Any]] = {
    "cka": {},
    "procrustes": {},
    "kernel_movement": {"examples": 12},
    "linearised_training": {"examples": 9, "lr": 0.1},
}
SHARED = {"layer", "other_layer", "rank", "first", "second"}


def same(name: str, whole: Mapping[str, Any], part: Mapping[str, Any], members: list[int]) -> None:
    for quantity in whole.keys() - SHARED:
        for place, member in enumerate(members):
            np.testing.assert_array_equal(
                np.asarray(part[quantity][place]),
                np.asarray(whole[quantity][member]),
                err_msg=f"{name} {quantity}",
            )


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("is_shared", [True, False])
def test_alone_in_a_stack_and_in_another_order(
    make_runs: Callable[..., Runs], name: str, is_shared: bool
) -> None:
    runs = make_runs(seeds=(5, 0, 9, 2), train=60, test=37, is_shared=is_shared, hidden=[7, 5])
    measure = components.load("analysis", name.split()[0])
    whole = measure(runs, **LAYERS[name])
    for members in ([2], [3, 2, 1]):
        same(name, whole, measure(runs.select(members), **LAYERS[name]), members)


@pytest.mark.parametrize("name", OTHERS)
def test_beside_another_run(make_runs: Callable[..., Runs], name: str) -> None:
    runs = make_runs(seeds=(5, 0, 9), hidden=[7])
    other = replace(make_runs(seeds=(6, 7, 8), hidden=[7]), data=runs.data)
    measure = components.load("analysis", name)
    whole = measure(runs, other=other, **OTHERS[name])
    for members in ([1], [2, 0]):
        part = measure(runs.select(members), other=other.select(members), **OTHERS[name])
        same(name, whole, part, members)


@pytest.mark.parametrize("name", [name for name in LAYERS if name != "local_rank"])
def test_images(make_runs: Callable[..., Runs], name: str) -> None:
    """Convolutions of a stack are grouped, and those of a lone member are not."""
    network = cnn((1, 4, 4), 3, channels=[4], hidden=[6], norm="group")
    flat = make_runs(seeds=(4, 1, 2), features=16, network=network, train=60, test=37)
    data = tuple(_images(one) for one in flat.data)
    runs = replace(flat, data=data)
    measure = components.load("analysis", name.split()[0])
    same(name, measure(runs, **LAYERS[name]), measure(runs.select([1]), **LAYERS[name]), [1])


def _images(data: Dataset) -> Dataset:
    splits = {name: Split(part.inputs.view(-1, 1, 4, 4), part.targets) for name, part in data.splits.items()}
    return Dataset(splits, data.task, (1, 4, 4), data.outputs)
