"""Measures of convolutional networks: the same to the bit alone and in a stack, and no surprise in their values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from gendsl_runtime.analyses.complexity.fisher_rao import fisher_rao
from gendsl_runtime.analyses.complexity.heavy_tails import heavy_tails
from gendsl_runtime.analyses.complexity.input_margins import input_margins
from gendsl_runtime.analyses.complexity.neural_persistence import neural_persistence
from gendsl_runtime.analyses.complexity.operator_norms import operator_norms
from gendsl_runtime.analyses.complexity.topology import topology
from gendsl_runtime.analyses.examples.gradient_noise import gradient_noise
from gendsl_runtime.analyses.examples.grand import grand
from gendsl_runtime.analyses.examples.prediction_depth import prediction_depth
from gendsl_runtime.analyses.examples.stiffness import stiffness
from gendsl_runtime.analyses.information.code_length import code_length
from gendsl_runtime.analyses.information.information_plane import information_plane
from gendsl_runtime.analyses.information.lempel_ziv import lempel_ziv
from gendsl_runtime.analyses.information.line_spectrum import line_spectrum
from gendsl_runtime.analyses.information.sensitivity import sensitivity
from gendsl_runtime.models.cnn import cnn
from gendsl_runtime.models.resnet import resnet
from gendsl_runtime.models.rnn import rnn
from gendsl_runtime.network import Network
from tests.components.analyses.examples.explicit import images

MEASURES: dict[str, Callable[..., Mapping[str, Any]]] = {
    "fisher_rao": fisher_rao,
    "heavy_tails": heavy_tails,
    "input_margins": input_margins,
    "neural_persistence": neural_persistence,
    "operator_norms": operator_norms,
    "topology": topology,
    "gradient_noise": gradient_noise,
    "grand": grand,
    "prediction_depth": lambda runs: prediction_depth(runs, neighbours=3),
    "stiffness": stiffness,
    "code_length": lambda runs: code_length(runs, levels=(4, 16)),
    "information_plane": lambda runs: information_plane(runs, estimator="ksg"),
    "lempel_ziv": lempel_ziv,
    "line_spectrum": lambda runs: line_spectrum(runs, lines=5, points=16),
    "sensitivity": sensitivity,
}
NETWORKS: dict[str, Callable[[], Network]] = {
    "cnn": lambda: cnn((1, 8, 8), 3, channels=(2, 3), hidden=(5,)),
    "batch": lambda: resnet((1, 8, 8), 3, norm="batch"),
    "group": lambda: resnet((1, 8, 8), 3, norm="group"),
    "rnn": lambda: rnn((1, 8, 8), 3),
}
SHARED = {"layer", "levels", "frequency"}
"""Coordinates without a member axis."""


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("name", MEASURES)
def test_alone_and_in_a_stack(name: str, network: str) -> None:
    runs = images(NETWORKS[network]())
    runs = type(runs)(runs.network, runs.network.init(runs.seeds), runs.data, runs.seeds, runs.loss)
    whole, part = MEASURES[name](runs), MEASURES[name](runs.select([1]))
    for quantity in whole.keys() - SHARED:
        found = np.asarray(whole[quantity][1])
        np.testing.assert_array_equal(np.asarray(part[quantity][0]), found, err_msg=quantity)
        if quantity != "input_margin":
            assert found.dtype.kind != "f" or not np.isnan(found).all(), quantity
