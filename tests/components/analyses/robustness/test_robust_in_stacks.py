"""A member's robustness does not depend, to the bit, on what it is stacked with."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gendsl_runtime.analyses.robustness.adversarial import adversarial
from gendsl_runtime.analyses.robustness.calibration import calibration
from gendsl_runtime.analyses.robustness.certified import certified
from gendsl_runtime.analyses.robustness.corruption import corruption
from gendsl_runtime.analyses.robustness.minimal_perturbation import minimal_perturbation
from gendsl_runtime.analyses.robustness.randomised_smoothing import randomised_smoothing
from gendsl_runtime.analyses.robustness.shift import shift
from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.losses.cross_entropy import cross_entropy
from gendsl_runtime.models.cnn import cnn
from gendsl_runtime.runs import Runs

ANALYSES = {
    "adversarial": lambda runs: adversarial(runs, radius=[0.1, 0.3], steps=3),
    "adversarial l2": lambda runs: adversarial(runs, radius=[0.3], norm="l2", steps=3),
    "calibration": calibration,
    "certified": lambda runs: certified(runs, radius=[0.1]),
    "corruption": corruption,
    "minimal_perturbation": lambda runs: minimal_perturbation(runs, steps=5),
    "randomised_smoothing": lambda runs: randomised_smoothing(runs, selection=7, samples=20, alpha=0.1),
    "shift": lambda runs: shift(runs, to="train"),
}
ON_IMAGES = ("adversarial", "minimal_perturbation", "corruption", "randomised_smoothing")
COORDINATES = {"radius", "bin", "severity"}


@pytest.mark.parametrize("name", ANALYSES)
@pytest.mark.parametrize("is_shared", [True, False])
def test_alone_and_in_another_order(make_runs, name, is_shared):
    check(name, make_runs(seeds=(5, 0, 9, 2), test=530, is_shared=is_shared, hidden=[7, 5]))


@pytest.mark.parametrize("name", ON_IMAGES)
def test_images(name):
    chance = np.random.default_rng(0)
    inputs = torch.from_numpy(chance.standard_normal((90, 1, 8, 8), dtype=np.float32))
    split = Split(inputs, torch.from_numpy(chance.integers(0, 3, 90)))
    data = Dataset({"train": split, "test": split}, "classification", (1, 8, 8), 3)
    network, seeds = cnn((1, 8, 8), 3, channels=[3, 4]), (5, 0, 9, 2)
    check(name, Runs(network, network.init(seeds), (data,) * 4, seeds, cross_entropy))


def check(name: str, runs: Runs) -> None:
    whole = ANALYSES[name](runs)
    for members in ([2], [3, 2, 1]):
        part = ANALYSES[name](runs.select(members))
        for quantity in whole.keys() - COORDINATES:
            for place, member in enumerate(members):
                np.testing.assert_array_equal(
                    np.asarray(part[quantity][place]), np.asarray(whole[quantity][member]), err_msg=quantity
                )
