"""Against softmax written out in numpy, scikit-learn's scores, and Jensen's inequality."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import accuracy_score, log_loss

from gendsl_runtime.analyses.prediction.ensemble import ensemble
from gendsl_runtime.runs import Groups


@pytest.mark.parametrize("average", ["probabilities", "logits"])
def test_scores_of_the_average(make_runs, average):
    runs = make_runs((0, 1, 2), is_shared=True, test=600)
    found = ensemble(Groups((runs,), (0, 1, 2)), over="seed", average=average)
    inputs, targets = runs.split("test")
    outputs, labels = runs.outputs(inputs).detach().double().numpy(), targets[0].numpy()
    each = softmax(outputs, axis=1)
    mean = each.mean(0) if average == "probabilities" else softmax(outputs.mean(0), axis=0)
    hot = np.eye(3)[labels].T
    assert found["error"][0] == pytest.approx(1 - accuracy_score(labels, mean.argmax(0)), abs=1e-15)
    assert found["nll"][0] == pytest.approx(log_loss(labels, mean.T, labels=[0, 1, 2]), rel=1e-12)
    assert found["brier"][0] == pytest.approx(((mean - hot) ** 2).sum(0).mean(), rel=1e-12)
    assert found["mean_nll"][0] == pytest.approx(
        np.mean([log_loss(labels, one.T, labels=[0, 1, 2]) for one in each]), rel=1e-12
    )
    assert found["mean_brier"][0] == pytest.approx(((each - hot) ** 2).sum(1).mean(), rel=1e-12)
    assert found["mean_error"][0] == pytest.approx(float(runs.error("test").mean()))
    assert found["ambiguity"][0] > 0


def test_equal_runs_gain_nothing(make_runs):
    runs = make_runs((4,)).repeated(3)
    found = ensemble(Groups((runs,), (0, 1, 2)), over="seed")
    assert found["ambiguity"][0] == pytest.approx(0, abs=1e-12)
    assert found["error"][0] == found["mean_error"][0]
