"""Forgetting events against sequences by hand."""

from __future__ import annotations

import numpy as np
import pytest

from gendsl_runtime.analyses.examples.forgetting import forgetting
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Groups
from tests.components.analyses.examples.by_parts import answering, one_hot

HISTORIES = {
    # right at each epoch 0, 1, 2, 5, 10: events, first learned, settled
    "00000": (0, np.inf, np.inf),
    "11111": (0, 0, 0),
    "00111": (0, 2, 2),
    "01010": (2, 1, np.inf),
    "10101": (2, 0, 10),
    "01100": (1, 1, np.inf),
    "00001": (0, 10, 10),
    "10011": (1, 0, 5),
}
EPOCHS = (0, 1, 2, 5, 10)


def network(order):
    right = np.array([[letter == "1" for letter in history] for history in HISTORIES]).T
    labels = np.arange(len(HISTORIES)) % 2
    logits = np.zeros((5, 2, len(labels) + 1))
    for epoch in range(5):
        logits[epoch, np.where(right[epoch], labels, 1 - labels), np.arange(len(labels))] = 1
    return answering([one_hot(labels, labels[:1], 2)] * 5, logits[list(order)])


@pytest.mark.parametrize("order", [(0, 1, 2, 3, 4), (3, 0, 4, 1, 2)])
def test_histories_by_hand(order):
    given = forgetting(Groups((network(order),), tuple(EPOCHS[k] for k in order)), over="epoch")
    for place, (events, first, settled) in enumerate(HISTORIES.values()):
        assert given["forgotten"][0, place] == events
        assert given["first_learned"][0, place] == first
        assert given["settled"][0, place] == settled
    assert given["mean"][0] == 6 / 8
    assert given["never_learned"][0] == 1 / 8
    assert given["unforgettable"][0] == 3 / 8


def test_epochs_are_numbers_and_several():
    runs = network(range(5))
    with pytest.raises(Problem, match="labels that are no numbers"):
        forgetting(Groups((runs,), tuple("abcde")), over="epoch")
    with pytest.raises(Problem, match="one label"):
        forgetting(Groups((runs.select([0]),), (3,)), over="epoch")
