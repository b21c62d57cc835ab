"""Accuracy after each iteration, against networks made to stop there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gendsl_runtime.analyses.prediction.accuracy import accuracy
from gendsl_runtime.analyses.thinking.corrupted_memory import corrupted_memory
from gendsl_runtime.analyses.thinking.thinking_time import thinking_time
from gendsl_runtime.models.linear import linear
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import mistakes


def test_each_iteration_is_the_accuracy_of_a_network_that_stops_there(make_thinkers) -> None:
    runs = make_thinkers(test=530)
    found = thinking_time(runs, iterations=7)
    for turn in range(1, 8):
        schedule = replace(runs.network.schedule, iterations=turn)
        shorter = replace(runs, network=replace(runs.network, schedule=schedule))
        np.testing.assert_array_equal(
            found["accuracy"][:, turn - 1], accuracy(shorter, on="test")["accuracy"]
        )
    best = found["accuracy"].amax(1)
    np.testing.assert_allclose(found["overthinking"], best - found["accuracy"][:, -1])
    assert (found["place_accuracy"] >= found["accuracy"]).all()


def test_places_by_hand(make_thinkers) -> None:
    runs = make_thinkers()
    found = thinking_time(runs, iterations=4)["place_accuracy"][:, -1]
    inputs, targets = runs.split("test")
    answers = runs.outputs(inputs).argmax(1).transpose(1, 2)
    asked = targets >= 0
    for member in range(2):
        right = (answers[member] == targets[member])[asked[member]].double().mean()
        assert float(found[member]) == pytest.approx(float(right))


def test_members_do_not_see_their_company(make_thinkers) -> None:
    runs = make_thinkers((0, 3, 5))
    whole, alone = (thinking_time(r, iterations=5) for r in (runs, runs.select([1])))
    np.testing.assert_array_equal(whole["accuracy"][1], alone["accuracy"][0])


def test_who_cannot_think(make_thinkers, make_runs) -> None:
    with pytest.raises(Problem, match="cannot make 9"):
        thinking_time(make_thinkers(tied=False), iterations=9)
    with pytest.raises(Problem, match="no block"):
        thinking_time(make_runs(network=linear((3,), 3)))


def test_outputs_of_more_than_a_block_of_examples(make_thinkers) -> None:
    """Outputs of a labelling have their examples last: blocks are joined there, not along the places."""
    runs = make_thinkers(test=530)
    inputs, targets = runs.split("test")
    whole = runs.outputs(inputs)
    assert whole.shape == (2, 2, 5, 530)
    right = mistakes(whole, targets).logical_not().double().mean(1)
    np.testing.assert_array_equal(right, accuracy(runs, on="test")["accuracy"])


def test_accuracy_by_loops_over_places(make_thinkers) -> None:
    """Example by example and place by place, in plain Python, at each of six iterations; padded places count for
    nothing."""
    runs = make_thinkers(test=40)
    found = thinking_time(runs, iterations=6)
    inputs, targets = runs.split("test")
    seen = runs.network.seen(inputs)
    for turn, state in enumerate(runs.network.thoughts(runs.state.parameters, seen, iterations=6)):
        answers = runs.network.answer(runs.state.parameters, state)
        for member in range(2):
            rows = []
            for example in range(40):
                labels = targets[member, example].tolist()
                pairs = [answers[member, :, place, example].tolist() for place in range(5)]
                rows.append([(b > a) == bool(y) for (a, b), y in zip(pairs, labels, strict=True) if y >= 0])
            assert found["accuracy"][member, turn] == sum(map(all, rows)) / 40
            assert found["place_accuracy"][member, turn] == pytest.approx(
                sum(map(sum, rows)) / sum(map(len, rows))
            )
    for member in range(2):
        curve = found["accuracy"][member].tolist()
        assert found["best"][member] == max(curve)
        assert found["final"][member] == curve[-1]
        assert found["overthinking"][member] == max(curve) - curve[-1]


def test_a_memory_without_bounds_is_wrong_everywhere(make_thinkers) -> None:
    """Weights so large that float32 overflows after some iterations: no answer is a number, and none is right, also
    where the label is the class that torch's maximum of NaN would name."""
    runs = make_thinkers(length=2, test=40)
    for name, value in runs.state.parameters.items():
        if name.startswith("thought"):
            value *= 1e6
    found = thinking_time(runs, iterations=8)
    inputs, targets = runs.split("test")
    *_, state = runs.network.thoughts(runs.state.parameters, runs.network.seen(inputs), iterations=8)
    assert runs.network.answer(runs.state.parameters, state).isnan().all()
    assert (targets == 0).all(2).any(), "some strings have no odd sum"
    assert (found["final"] == 0).all() and (found["place_accuracy"][:, -1] == 0).all()
    lost = corrupted_memory(runs, at=8, iterations=1)
    assert (lost["before"] == 0).all() and lost["recovery"].isnan().all()
