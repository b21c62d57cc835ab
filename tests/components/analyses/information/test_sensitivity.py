"""Sensitivity against explicit Jacobians."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gendsl_runtime.analyses.information.sensitivity import sensitivity
from gendsl_runtime.datasets.prefix_sums import prefix_sums
from gendsl_runtime.losses.cross_entropy import cross_entropy
from gendsl_runtime.models.deep_thinking import deep_thinking
from gendsl_runtime.models.linear import linear
from gendsl_runtime.runs import Runs


@pytest.mark.parametrize("of", ["outputs", "probabilities"])
def test_explicit_jacobians(make_runs, of):
    runs = make_runs(dtype=torch.float64, hidden=[7, 5], test=515)
    given = sensitivity(runs, of=of)
    inputs = runs.split("test")[0]
    for member, place in ((0, 3), (1, 514), (2, 0)):
        one = runs.select([member])

        def function(x, one=one):
            outputs = one.outputs(x[None, None])[0, :, 0]
            return outputs.softmax(0) if of == "probabilities" else outputs

        jacobian = torch.autograd.functional.jacobian(function, inputs[member, place])
        assert given["sensitivity"][member, place] == pytest.approx(float(jacobian.norm()), rel=1e-11)
    spread = given["sensitivity"].std(1, ddof=1) / np.sqrt(515)
    np.testing.assert_allclose(given["mean_error"], spread, rtol=1e-12)


def test_a_linear_function_is_as_sensitive_as_its_matrix_is_large(make_runs):
    runs = make_runs(network=linear((3,), 3))
    given = sensitivity(runs, of="outputs")["sensitivity"]
    norms = runs.state.parameters["output.weight"].double().flatten(1).norm(dim=1)
    np.testing.assert_allclose(given, norms[:, None].expand(3, 20), rtol=1e-6)


@pytest.mark.parametrize("of", ["outputs", "probabilities"])
def test_of_a_labelling_every_place_has_outputs(of):
    """The Jacobian `(classes, places, steps)` of each example, float64, to rounding."""
    data, network = prefix_sums(lengths=[5], train=4, test=6), deep_thinking((5, 1), 2, width=6, iterations=3)
    runs = Runs(network, network.init([3]).to("cpu", torch.float64), (data,), (3,), cross_entropy)
    found = sensitivity(runs, of=of)["sensitivity"]
    for place, example in enumerate(runs.split("test")[0][0]):

        def function(x):
            outputs = runs.outputs(x[None, None])[0, :, :, 0]
            return outputs.softmax(0) if of == "probabilities" else outputs

        jacobian = torch.autograd.functional.jacobian(function, example)
        assert jacobian.shape == (2, 5, 5, 1)
        assert found[0, place] == pytest.approx(float(jacobian.norm()), rel=1e-11)
