"""EL2N scores by hand and at their bounds."""

from __future__ import annotations

import numpy as np
from scipy.special import softmax

from gendsl_runtime.analyses.examples.el2n import el2n


def test_scores_by_hand(make_runs):
    runs = make_runs(classes=4, train=25)
    given = el2n(runs)
    for member in range(runs.members):
        predicted = softmax(runs.outputs(runs.split("train")[0])[member].double().numpy(), axis=0).T
        error = predicted - np.eye(4)[runs.split("train")[1][member]]
        np.testing.assert_allclose(given["el2n"][member], np.linalg.norm(error, axis=1), rtol=1e-13)


def test_scores_lie_between_sure_and_right_and_sure_and_wrong(make_runs):
    runs = make_runs(classes=2, train=25)
    runs.state.parameters["output.weight"].zero_()
    runs.state.parameters["output.bias"].copy_(
        runs.state.parameters["output.bias"].new_tensor([100.0, -100.0])
    )
    scores, labels = el2n(runs)["el2n"], runs.split("train")[1]
    np.testing.assert_allclose(scores[labels == 0], 0, atol=1e-15)
    np.testing.assert_allclose(scores[labels == 1], np.sqrt(2), rtol=1e-15)
