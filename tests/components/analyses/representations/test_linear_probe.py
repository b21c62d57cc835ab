"""Linear probes against scikit-learn."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.preprocessing import StandardScaler

from gendsl_runtime.analyses.representations.linear_probe import _logistic, _ridge, _standard, linear_probe
from gendsl_runtime.measures.layers import hidden
from gendsl_runtime.runs import Runs


def parts(runs: Runs, member: int, layer: str) -> tuple[np.ndarray, ...]:
    found = []
    for split in ("train", "test"):
        inputs, labels = runs.split(split)
        found += [hidden(runs, inputs)[layer][member].double().numpy().T, labels[member].numpy()]
    return tuple(found)


@pytest.mark.parametrize("ridge", [1e-3, 0.1])
def test_logistic_against_scikit_learn(make_runs: Callable[..., Runs], ridge: float) -> None:
    """`C` of scikit-learn multiplies the sum of losses: `1 / (N ridge)`."""
    runs = make_runs(hidden=[6], train=60, test=40)
    found = linear_probe(runs, ridge=ridge)
    assert (np.asarray(found["slope"]) < 1e-6).all()
    for member in range(3):
        x, y, z, t = parts(runs, member, "hidden.0")
        scaler = StandardScaler().fit(x)
        model = LogisticRegression(C=1 / (len(x) * ridge), tol=1e-10, max_iter=5000).fit(
            scaler.transform(x), y
        )
        assert float(found["accuracy"][member, 1]) == pytest.approx(model.score(scaler.transform(z), t))
        assert float(found["train_accuracy"][member, 1]) == pytest.approx(model.score(scaler.transform(x), y))
        learned, _ = _standard(torch.from_numpy(x.T.copy()), torch.from_numpy(z.T.copy()))
        weights, _ = _logistic(learned, torch.from_numpy(y), 3, ridge=ridge, most=300)
        # Offsets are known up to a common one.
        np.testing.assert_allclose(weights[:-1].T, model.coef_, atol=1e-4)


def test_ridge_against_scikit_learn(make_runs: Callable[..., Runs]) -> None:
    runs = make_runs(hidden=[6], train=60, test=40)
    found = linear_probe(runs, kind="ridge", ridge=0.02)
    for member in range(3):
        x, y, z, t = parts(runs, member, "hidden.0")
        scaler = StandardScaler().fit(x)
        model = Ridge(alpha=0.02 * len(x)).fit(scaler.transform(x), np.eye(3)[y])
        accuracy = (model.predict(scaler.transform(z)).argmax(1) == t).mean()
        assert float(found["accuracy"][member, 1]) == pytest.approx(accuracy)
        learned, _ = _standard(torch.from_numpy(x.T.copy()), torch.from_numpy(z.T.copy()))
        weights, _ = _ridge(learned, torch.from_numpy(y), 3, ridge=0.02)
        np.testing.assert_allclose(weights[:-1].T, model.coef_, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(weights[-1], model.intercept_, rtol=1e-9)


def test_what_can_be_separated_is(make_runs: Callable[..., Runs]) -> None:
    """The outputs of a network that is right about its inputs' first coordinate are as good as that coordinate."""
    runs = make_runs(hidden=[20], train=80, classes=2)
    found = linear_probe(runs, against="train")
    np.testing.assert_array_equal(found["accuracy"], found["train_accuracy"])
    assert np.asarray(found["layer"]).tolist() == ["inputs", "hidden.0", "output"]


def test_invertible_maps_are_free_without_a_penalty(make_runs: Callable[..., Runs]) -> None:
    """A wide linear layer adds nothing to what is linear in its input."""
    runs = make_runs(hidden=[8], activation="identity", train=200, test=100)
    found = np.asarray(linear_probe(runs, kind="ridge", ridge=0.0)["accuracy"])
    np.testing.assert_allclose(found[:, 0], found[:, 1])
    penalised = np.asarray(linear_probe(runs, kind="ridge", ridge=1.0)["accuracy"])
    assert np.abs(penalised[:, 0] - penalised[:, 1]).max() > 0


def test_dead_layers_answer_with_the_most_common_class(make_runs: Callable[..., Runs]) -> None:
    runs = make_runs((0,), activation="relu")
    runs.state.parameters["hidden.0.bias"].fill_(-1e6)
    found = linear_probe(runs)
    labels = runs.split("train")[1][0]
    share = float((labels == labels.bincount().argmax()).double().mean())
    assert float(found["train_accuracy"][0, 1]) == pytest.approx(share)
