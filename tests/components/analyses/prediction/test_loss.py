"""Mean loss against scikit-learn, and weighting of unequal blocks."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import log_loss

from gendsl_runtime.analyses.prediction.loss import loss


@pytest.mark.parametrize("size", [20, 512, 700])
def test_cross_entropy_is_the_log_loss_of_scikit_learn(make_runs, size):
    runs = make_runs(test=size)
    given = loss(runs, on="test")["loss"]
    for member in range(runs.members):
        probabilities = runs.outputs(runs.split("test")[0])[member].double().softmax(0).T.numpy()
        expected = log_loss(runs.split("test")[1][member], probabilities, labels=range(3))
        # float32 losses: half a unit in the last place each, values below 4.
        np.testing.assert_allclose(float(given[member]), expected, rtol=0, atol=4 * 2**-23)
