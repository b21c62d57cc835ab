"""Curvature and sharpness of a member do not depend, to the bit, on what it is stacked with: other networks than the
dense one that every analysis is tried on, and losses of each member's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from gendsl_runtime.analyses.curvature.effective_dimension import effective_dimension
from gendsl_runtime.analyses.curvature.gradient_share import gradient_share
from gendsl_runtime.analyses.curvature.hessian_blocks import hessian_blocks
from gendsl_runtime.analyses.curvature.hessian_diagonal import hessian_diagonal
from gendsl_runtime.analyses.curvature.hessian_norm import hessian_norm
from gendsl_runtime.analyses.curvature.hessian_spectrum import hessian_spectrum
from gendsl_runtime.analyses.curvature.hessian_top import hessian_top
from gendsl_runtime.analyses.curvature.hessian_trace import hessian_trace
from gendsl_runtime.analyses.sharpness.expected_sharpness import expected_sharpness
from gendsl_runtime.analyses.sharpness.local_entropy import local_entropy
from gendsl_runtime.analyses.sharpness.pac_bayes_sharpness import pac_bayes_sharpness
from gendsl_runtime.analyses.sharpness.perturbation_radius import perturbation_radius
from gendsl_runtime.analyses.sharpness.sam_sharpness import sam_sharpness
from gendsl_runtime.losses.cross_entropy import cross_entropy
from gendsl_runtime.runs import Runs
from gendsl_runtime.train.build import StackedLoss
from tests.components.analyses.test_stack_independence import images

Analysis = Callable[[Runs], Mapping[str, Any]]

PRODUCTS: dict[str, Analysis] = {
    f"hessian_top {operator}": lambda runs, operator=operator: hessian_top(
        runs, count=2, iterations=6, operator=operator, samples=2
    )
    for operator in ("ggn", "fisher", "empirical_fisher")
}
ANALYSES: dict[str, Analysis] = {
    **PRODUCTS,
    "hessian_trace": lambda runs: hessian_trace(runs, probes=3),
    "hutch_pp": lambda runs: hessian_trace(runs, probes=6, method="hutch_pp", operator="ggn"),
    "hessian_norm": lambda runs: hessian_norm(runs, probes=3),
    "hessian_spectrum": lambda runs: hessian_spectrum(runs, steps=4, probes=2, points=8),
    "effective_dimension": lambda runs: effective_dimension(runs, steps=4, probes=2),
    "gradient_share": lambda runs: gradient_share(runs, count=2, iterations=6),
    "hessian_blocks": lambda runs: hessian_blocks(runs, iterations=3, probes=2),
    "hessian_diagonal": lambda runs: hessian_diagonal(runs, probes=2),
    "ggn diagonal": lambda runs: hessian_diagonal(runs, operator="ggn", method="exact"),
    "sam_sharpness": lambda runs: sam_sharpness(runs, steps=2, adaptive="filter"),
    "expected_sharpness": lambda runs: expected_sharpness(runs, samples=3),
    "perturbation_radius": lambda runs: perturbation_radius(runs, steps=2, rays=2, tolerance=0.5),
    "pac_bayes_sharpness": lambda runs: pac_bayes_sharpness(runs, samples=2, tolerance=0.5),
    "local_entropy": lambda runs: local_entropy(runs, chains=2, temperatures=2, moves=2),
    "quadratic": lambda runs: local_entropy(runs, method="quadratic", gamma=1e4, steps=3, probes=2),
}
SHARED = {"layer", "rank", "point", "parameter", "measure"}
"""Coordinates without a member axis."""


SLOW = {"hessian_blocks", "perturbation_radius", "hessian_spectrum"}
"""On a residual network: tried on a plain one."""


@pytest.mark.parametrize(
    ("model", "name"), [(m, n) for m in ("cnn", "batch") for n in ANALYSES if m == "cnn" or n not in SLOW]
)
def test_convolutions_and_running_statistics(model: str, name: str) -> None:
    runs = images(model)
    whole = ANALYSES[name](runs)
    part = ANALYSES[name](runs.select([1]))
    for quantity in whole.keys() - SHARED:
        found = np.asarray(whole[quantity][1])
        np.testing.assert_array_equal(np.asarray(part[quantity][0]), found, err_msg=quantity)
        assert not np.isnan(found).any()


@pytest.mark.parametrize("name", ANALYSES)
def test_members_keep_their_own_loss_and_data(make_runs: Callable[..., Runs], name: str) -> None:
    smoothing = {"label_smoothing": torch.tensor([0.1, 0.2, 0.3, 0.4])}
    runs = make_runs(seeds=(5, 0, 9, 2), features=2, train=530, hidden=[7, 5])
    runs = replace(runs, loss=StackedLoss(cross_entropy, {}, smoothing))
    whole = ANALYSES[name](runs)
    part = ANALYSES[name](runs.select([3, 1]))
    for quantity in whole.keys() - SHARED:
        for place, member in enumerate((3, 1)):
            np.testing.assert_array_equal(
                np.asarray(part[quantity])[place], np.asarray(whole[quantity])[member], err_msg=quantity
            )
