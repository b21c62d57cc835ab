"""Accuracy against counting by hand."""

from __future__ import annotations

import torch
from sklearn.metrics import accuracy_score

from gendsl_runtime.analyses.prediction.accuracy import accuracy


def test_it_is_the_share_classified_rightly(make_runs):
    runs = make_runs(test=57)
    given = accuracy(runs, on="test")
    for member in range(runs.members):
        outputs = runs.outputs(runs.split("test")[0])[member]
        expected = accuracy_score(runs.split("test")[1][member], outputs.argmax(0))
        assert abs(float(given["accuracy"][member]) - expected) < 1e-15
    assert torch.equal(given["error"], 1 - given["accuracy"]) or torch.allclose(
        given["error"] + given["accuracy"], torch.ones(runs.members, dtype=torch.float64), atol=1e-15, rtol=0
    )


def test_a_split_longer_than_a_block_counts_every_example_once(make_runs):
    runs = make_runs(seeds=(4,), train=1300)
    outputs = runs.network.apply(
        runs.state.parameters, runs.state.buffers, runs.split("train")[0], training=False
    )[0]
    wrong = int((outputs[0].argmax(0) != runs.split("train")[1][0]).sum())
    assert float(accuracy(runs, on="train")["error"][0]) == wrong / 1300
