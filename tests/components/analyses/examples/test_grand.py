"""GraNd scores against gradients formed one by one."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gendsl_runtime.analyses.examples.grand import grand
from gendsl_runtime.models.cnn import cnn
from gendsl_runtime.models.resnet import resnet
from gendsl_runtime.models.rnn import rnn
from gendsl_runtime.runs import Runs
from tests.components.analyses.examples.explicit import gradients, images

MODELS = {
    "cnn": lambda: cnn((1, 8, 8), 3, channels=(2, 3), hidden=(5,)),
    "norms": lambda: cnn((1, 8, 8), 3, channels=(2, 3), hidden=(5,), norm="batch"),
    "resnet": lambda: resnet((1, 8, 8), 3, norm="group"),
    "rnn": lambda: rnn((1, 8, 8), 3),
}


@pytest.mark.parametrize(
    "more",
    [{}, {"parametrisation": "ntk"}, {"norm": "layer"}, {"norm": "batch", "hidden": [5, 5], "skip": True}],
)
def test_dense_networks(make_runs, more):
    runs = make_runs(dtype=torch.float64, **more)
    given = grand(runs)["grand"]
    for member in range(3):
        np.testing.assert_allclose(given[member], gradients(runs, member).norm(dim=1), rtol=1e-11)


@pytest.mark.parametrize("model", MODELS)
def test_other_networks(model):
    runs = images(MODELS[model]())
    given = grand(runs)["grand"]
    for member in range(2):
        np.testing.assert_allclose(given[member], gradients(runs, member).norm(dim=1), rtol=1e-10)


def test_chunks_and_precision(make_runs):
    single, double = (make_runs(train=700, dtype=dtype) for dtype in (torch.float32, torch.float64))
    found = grand(single)["grand"]
    np.testing.assert_allclose(found, grand(double)["grand"], rtol=2e-5)
    last = [data.with_splits(train=data.split("train").take(np.arange(512, 700))) for data in single.data]
    alone = Runs(single.network, single.state, tuple(last), single.seeds, single.loss)
    np.testing.assert_array_equal(grand(alone)["grand"], found[:, 512:])


def test_the_order_of_hidden_units_does_not_matter_and_their_scale_does(make_runs):
    runs = make_runs(activation="relu", dtype=torch.float64)
    values, before = runs.state.parameters, grand(runs)["grand"]
    for name, side in (("hidden.0.weight", 1), ("hidden.0.bias", 1), ("output.weight", 2)):
        values[name].copy_(values[name].flip(side))
    np.testing.assert_allclose(grand(runs)["grand"], before, rtol=1e-12)
    for name in ("hidden.0.weight", "hidden.0.bias"):
        values[name].mul_(2)
    values["output.weight"].div_(2)
    assert (grand(runs)["grand"] / before - 1).abs().amax() > 0.01


def test_convolutions_in_pieces_and_chunks():
    runs = images(MODELS["cnn"](), 530)
    np.testing.assert_allclose(grand(runs)["grand"][1], gradients(runs, 1).norm(dim=1), rtol=1e-10)
