"""A member's attributions do not depend, to the bit, on what it is stacked with."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gendsl_runtime.analyses.attribution.conductance import conductance
from gendsl_runtime.analyses.attribution.feature_importance import feature_importance
from gendsl_runtime.analyses.attribution.integrated_gradients import integrated_gradients
from gendsl_runtime.analyses.attribution.saliency import saliency
from gendsl_runtime.analyses.attribution.unit_ablation import unit_ablation
from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.losses.cross_entropy import cross_entropy
from gendsl_runtime.models.cnn import cnn
from gendsl_runtime.runs import Runs

ANALYSES = {
    "integrated_gradients": lambda runs: integrated_gradients(runs, steps=4),
    "saliency": lambda runs: saliency(runs, noise=0.1, samples=3),
    "conductance": lambda runs: conductance(runs, steps=4),
    "unit_ablation": lambda runs: unit_ablation(runs, points=3, orders=2),
    "feature_importance": lambda runs: feature_importance(runs, repeats=2),
}
COORDINATES = {"y", "x", "ablated", "unit"}


@pytest.mark.parametrize("name", ANALYSES)
@pytest.mark.parametrize("is_image", [False, True])
def test_alone_and_in_another_order(make_runs, name, is_image):
    runs = images() if is_image else make_runs(seeds=(5, 0, 9, 2), test=530, hidden=[7, 5])
    whole = ANALYSES[name](runs)
    for members in ([2], [3, 2, 1]):
        part = ANALYSES[name](runs.select(members))
        for quantity in whole.keys() - COORDINATES:
            for place, member in enumerate(members):
                np.testing.assert_array_equal(
                    np.asarray(part[quantity][place]), np.asarray(whole[quantity][member]), err_msg=quantity
                )


def images() -> Runs:
    chance = np.random.default_rng(0)
    inputs = torch.from_numpy(chance.standard_normal((40, 1, 6, 6), dtype=np.float32))
    split = Split(inputs, torch.from_numpy(chance.integers(0, 3, 40)))
    data = Dataset({"train": split, "test": split}, "classification", (1, 6, 6), 3)
    network, seeds = cnn((1, 6, 6), 3, channels=[3, 4]), (5, 0, 9, 2)
    return Runs(network, network.init(seeds), (data,) * 4, seeds, cross_entropy)
