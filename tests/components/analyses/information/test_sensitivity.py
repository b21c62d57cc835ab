"""Sensitivity against explicit Jacobians."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gendsl_runtime.analyses.information.sensitivity import sensitivity
from gendsl_runtime.models.linear import linear


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
