"""The Fisher-Rao norm against dense Fisher matrices and the closed form of homogeneous networks."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gendsl_runtime.analyses.complexity.fisher_rao import fisher_rao
from gendsl_runtime.measures.vectors import flat, shaped


def log_shares(runs, member):
    """`w -> log p` of all training examples, `(examples, classes)`, and w."""
    one = runs.select([member])
    values = flat(one.state.parameters)

    def function(vector):
        outputs = one.outputs(one.split("train")[0], shaped(vector[None], one.state.parameters))
        return outputs[0].log_softmax(0).T

    return function, values[0]


@pytest.mark.parametrize("labels", ["data", "model"])
@pytest.mark.parametrize(
    "more", [{}, {"norm": "layer"}, {"activation": "relu", "hidden": [4, 4], "skip": True}]
)
def test_a_dense_fisher_matrix(make_runs, labels, more):
    runs = make_runs(dtype=torch.float64, **more)
    given = fisher_rao(runs, labels=labels)
    for member in range(3):
        function, weights = log_shares(runs, member)
        slopes = torch.func.jacrev(function)(weights)  # (examples, classes, parameters)
        if labels == "data":
            own = slopes[torch.arange(30), runs.split("train")[1][member]]
            fisher = own.T @ own / 30
        else:
            fisher = torch.einsum("nc,ncp,ncq->pq", function(weights).exp(), slopes, slopes) / 30
        expected = (weights @ fisher @ weights).sqrt()
        np.testing.assert_allclose(given["fisher_rao"][member], expected, rtol=1e-10)


def test_homogeneous_networks_in_closed_form(make_runs):
    runs = make_runs(hidden=[6, 5], activation="relu", bias=False, dtype=torch.float64)
    outputs, labels = runs.outputs(runs.split("train")[0]), runs.split("train")[1]
    gap = outputs.gather(1, labels[:, None])[:, 0] - (outputs.softmax(1) * outputs).sum(1)
    given = fisher_rao(runs)
    np.testing.assert_allclose(given["fisher_rao"], 3 * gap.square().mean(1).sqrt(), rtol=1e-12)
    spread = (9 * gap.square()).std(1).numpy() / np.sqrt(30) / (2 * given["fisher_rao"])
    np.testing.assert_allclose(given["fisher_rao_error"], spread, rtol=1e-12)


def test_rescaling_changes_nothing_and_float32_is_close(make_runs):
    runs = make_runs(activation="relu", train=530)
    before = fisher_rao(runs)["fisher_rao"]
    exact = fisher_rao(make_runs(activation="relu", train=530, dtype=torch.float64))["fisher_rao"]
    np.testing.assert_allclose(before, exact, rtol=1e-5)
    for name in ("hidden.0.weight", "hidden.0.bias"):
        runs.state.parameters[name].mul_(8)
    runs.state.parameters["output.weight"].div_(8)
    np.testing.assert_allclose(fisher_rao(runs)["fisher_rao"], before, rtol=1e-6)
