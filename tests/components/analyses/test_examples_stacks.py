"""Scores of examples and measures of information: a member's numbers do not depend on its stack, to the bit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
import torch

from gendsl_runtime.analyses.bounds.compression_bound import compression_bound
from gendsl_runtime.analyses.bounds.pac_bayes_bound import pac_bayes_bound
from gendsl_runtime.analyses.examples.gradient_noise import gradient_noise
from gendsl_runtime.analyses.examples.grand import grand
from gendsl_runtime.analyses.examples.prediction_depth import prediction_depth
from gendsl_runtime.analyses.examples.stiffness import stiffness
from gendsl_runtime.analyses.information.code_length import code_length
from gendsl_runtime.analyses.information.information_plane import information_plane
from gendsl_runtime.analyses.information.lempel_ziv import lempel_ziv
from gendsl_runtime.analyses.information.line_spectrum import line_spectrum
from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.models.cnn import cnn
from gendsl_runtime.models.mlp import mlp
from gendsl_runtime.models.rnn import rnn
from gendsl_runtime.runs import Runs

MEASURES: dict[str, Callable[[Runs], Mapping[str, Any]]] = {
    "compression_bound": lambda runs: compression_bound(runs, epochs=1, levels=[3]),
    "pac_bayes_bound": lambda runs: pac_bayes_bound(runs, samples=5, sigmas=[0.01, 0.1]),
    "gradient_noise": gradient_noise,
    "grand": grand,
    "prediction_depth": lambda runs: prediction_depth(runs, neighbours=3, references=60),
    "stiffness": lambda runs: stiffness(runs, examples=40),
    "code_length": lambda runs: code_length(runs, levels=[2, 8]),
    "information_plane": lambda runs: information_plane(runs, estimator="kde", examples=60),
    "lempel_ziv": lempel_ziv,
    "line_spectrum": lambda runs: line_spectrum(runs, lines=4, points=8),
}
SHARED = {"sigma", "level", "levels", "layer", "frequency", "example"}


def stack(model: str) -> Runs:
    """Nine members on data of their own, over two blocks of examples."""
    shape = (5,) if model == "dense" else (1, 6, 6)
    networks = {
        "dense": lambda: mlp(shape, 3, hidden=[7, 6], norm="layer"),
        "convolutions": lambda: cnn(shape, 3, channels=[2], hidden=[5]),
        "recurrent": lambda: rnn(shape, 3, hidden=6),
    }
    data = []
    for seed in range(9):
        chance = torch.Generator().manual_seed(seed)
        splits = {
            name: Split(torch.randn(size, *shape, generator=chance), torch.arange(size) % 3)
            for name, size in (("train", 530), ("test", 11))
        }
        data.append(Dataset(splits, "classification", shape, 3))
    network = networks[model]()
    return Runs(network, network.init(range(9)), tuple(data), tuple(range(9)), log_loss)


def log_loss(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.cross_entropy(outputs, targets, reduction="none")


@pytest.mark.parametrize("name", MEASURES)
@pytest.mark.parametrize("model", ["dense", "convolutions", "recurrent"])
def test_a_member_does_not_depend_on_its_stack(model: str, name: str) -> None:
    runs = stack(model)
    members = [7, 0, 3] if model == "dense" else [7]
    whole = MEASURES[name](runs.select([0, 3, 7, 8]))
    part = MEASURES[name](runs.select(members))
    for quantity in whole.keys() - SHARED:
        for place, member in enumerate(members):
            np.testing.assert_array_equal(
                np.asarray(part[quantity][place]),
                np.asarray(whole[quantity][[0, 3, 7, 8].index(member)]),
                err_msg=quantity,
            )
