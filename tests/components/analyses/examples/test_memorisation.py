"""Memorisation against counts by hand, and of networks that store what they see."""

from __future__ import annotations

import numpy as np
import pytest

from gendsl_runtime.analyses.examples.memorisation import memorisation
from gendsl_runtime.datasets.subset import subset
from gendsl_runtime.datasets.with_label_noise import with_label_noise
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Groups
from tests.components.analyses.examples.by_parts import answering, one_hot, random_parts


def test_counts_by_hand():
    runs = random_parts(9, examples=20, test=3, outputs=3)
    given = memorisation(Groups((runs,), tuple(range(9))), over="seed")
    labels = runs.data[0].split("whole").targets.numpy()
    answers = runs.state.parameters["output.weight"].numpy().argmax(1)
    values = []
    for place in range(20):
        inside, outside = [], []
        for run, data in enumerate(runs.data):
            is_in = place in data.split("train").places
            (inside if is_in else outside).append(float(answers[run, place] == labels[place]))
        assert given["runs_with"][0, place] == len(inside)
        if not outside:
            assert np.isnan(given["memorisation"][0, place])
            continue
        values.append(np.mean(inside) - np.mean(outside))
        assert given["memorisation"][0, place] == pytest.approx(values[-1], abs=1e-15)
        if len(outside) > 1:
            expected = np.sqrt(np.var(inside) / (len(inside) - 1) + np.var(outside) / (len(outside) - 1))
            assert given["error"][0, place] == pytest.approx(expected, abs=1e-12)
        else:
            assert np.isnan(given["error"][0, place])
    assert given["mean"][0] == pytest.approx(np.mean(values), abs=1e-14)


def test_networks_that_store_what_they_see():
    """Right on what was seen, and always wrong elsewhere, but for the first five examples, which need no seeing."""
    labels = np.arange(30) % 3
    parts = [subset(one_hot(labels, labels[:2], 3), seed=seed) for seed in range(12)]
    logits = np.zeros((12, 3, 32))
    for run, part in enumerate(parts):
        is_known = np.zeros(30, dtype=bool)
        is_known[part.split("train").places.numpy()] = True
        is_known[:5] = True
        logits[run, np.where(is_known, labels, (labels + 1) % 3), np.arange(30)] = 1
    given = memorisation(Groups((answering(parts, logits),), tuple(range(12))), over="seed")["memorisation"][
        0
    ]
    known = np.isfinite(given)
    assert (given[:5][known[:5]] == 0).all()
    assert (given[5:][known[5:]] == 1).all()
    assert known.sum() > 20


def test_equal_examples_are_told_apart(make_runs):
    """Places count, not contents."""
    labels = np.zeros(10, dtype=np.int64)
    data = one_hot(labels, labels, 2)
    data.split("train").inputs.zero_()
    runs = answering([subset(data, seed=seed) for seed in range(8)], np.zeros((8, 2, 20)))
    given = memorisation(Groups((runs,), tuple(range(8))), over="seed")
    for place in range(10):
        count = sum(place in part.split("train").places for part in runs.data)
        assert given["runs_with"][0, place] == count


def test_data_that_do_not_know_what_was_seen_are_refused(make_runs):
    groups = Groups((make_runs(is_shared=True),), (0, 1, 2))
    with pytest.raises(Problem, match="which examples each run was trained on"):
        memorisation(groups, over="seed")
    runs = random_parts(3, examples=20, test=3, outputs=3)
    spoiled = answering([with_label_noise(data, share=0.5) for data in runs.data], np.zeros((3, 3, 23)))
    with pytest.raises(Problem, match="which examples each run was trained on"):
        memorisation(Groups((spoiled,), (0, 1, 2)), over="seed")
