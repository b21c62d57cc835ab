"""Prediction depth against scikit-learn's nearest neighbours."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.neighbors import KNeighborsClassifier

from gendsl_runtime.analyses.examples.prediction_depth import prediction_depth
from gendsl_runtime.datasets.subset import subset
from gendsl_runtime.measures.layers import hidden
from gendsl_runtime.problem import Problem


@pytest.mark.parametrize("on", ["test", "train"])
def test_depths_by_scikit_learn(make_runs, on):
    runs = make_runs(hidden=[6, 4], train=60, test=40)
    given = prediction_depth(runs, on=on, neighbours=5)
    assert given["layer"].tolist() == ["input", "hidden.0", "hidden.1", "output"]
    for member in range(3):
        one = runs.select([member])
        (train, labels), (inputs, targets) = one.split("train"), one.split(on)
        stacks = []
        for split in (train, inputs):
            layers = [split[0].T, *(stack[0] for stack in hidden(one, split).values())]
            layers[-1] = layers[-1].double().softmax(0)
            stacks.append([layer.double().numpy().T for layer in layers])
        final = one.outputs(inputs)[0].argmax(0).numpy()
        votes = []
        for base, points in zip(*stacks):
            if on == "test":
                fitted = KNeighborsClassifier(5, algorithm="brute").fit(base, labels[0].numpy())
                votes.append(fitted.predict(points))
                continue
            for place in range(60):
                others = np.arange(60) != place
                fitted = KNeighborsClassifier(5, algorithm="brute").fit(
                    base[others], labels[0].numpy()[others]
                )
                votes.append(fitted.predict(points[[place]])[0])
        votes = np.array(votes).reshape(4, -1)
        for place in range(votes.shape[1]):
            depth = 4
            while depth > 0 and votes[depth - 1, place] == final[place]:
                depth -= 1
            assert given["depth"][member, place] == depth
        np.testing.assert_allclose(given["probe_accuracy"][member], (votes == targets[0].numpy()).mean(1))


def test_a_clear_case_is_decided_at_the_input(make_runs):
    runs = make_runs(hidden=[4], activation="identity", bias=False, classes=2, features=2, train=40, test=10)
    for value in runs.state.parameters.values():
        value.zero_()
        value[:, :2, :2] = torch.eye(2)
    for data in runs.data:
        for split in data.splits.values():
            split.targets.copy_(torch.arange(len(split)) % 2)
            split.inputs.copy_(torch.eye(2)[split.targets] * 10 + split.inputs * 0.1)
    runs._splits.clear()
    given = prediction_depth(runs, neighbours=5)
    assert (given["depth"] == 0).all()
    assert (given["probe_accuracy"] == 1).all()


def test_an_example_is_not_its_own_neighbour_under_any_name(make_runs):
    """Of `fit`, which is `train` here, and of `whole`, by the places that `subset` leaves."""
    runs = make_runs(hidden=[4], train=40, is_shared=True)
    expected = prediction_depth(runs, on="train", neighbours=3)
    given = prediction_depth(runs, on="fit", neighbours=3)
    np.testing.assert_array_equal(given["depth"], expected["depth"])
    part = subset(runs.data[0], share=0.6, seed=4)
    drawn = replace(runs, data=(part,) * 3)
    places = part.split("train").places.numpy()
    whole = prediction_depth(drawn, on="whole", neighbours=3)
    among = prediction_depth(drawn, on="train", neighbours=3)
    np.testing.assert_array_equal(whole["depth"][:, places], among["depth"])


def test_as_many_neighbours_as_there_are_is_refused(make_runs):
    with pytest.raises(Problem, match="30 neighbours among 30"):
        prediction_depth(make_runs())
