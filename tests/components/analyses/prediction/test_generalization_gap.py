"""The generalisation gap from its parts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from gendsl_runtime.analyses.prediction.accuracy import accuracy
from gendsl_runtime.analyses.prediction.generalization_gap import generalization_gap
from gendsl_runtime.analyses.prediction.loss import loss


def test_every_quantity_is_a_difference_or_complement_of_the_plain_ones(make_runs):
    runs = make_runs(train=41, test=23)
    gap = generalization_gap(runs)
    on_test, on_train = accuracy(runs, on="test"), accuracy(runs, on="train")
    assert torch.equal(gap["gap"], on_test["error"] - on_train["error"])
    assert torch.equal(gap["error"], on_test["error"])
    assert torch.equal(gap["train_error"], on_train["error"])
    assert torch.equal(gap["test_accuracy"], on_test["accuracy"])
    assert torch.equal(gap["train_accuracy"], on_train["accuracy"])
    assert torch.equal(gap["loss_gap"], loss(runs, on="test")["loss"] - loss(runs, on="train")["loss"])


def test_train_means_the_clean_points_and_fit_everything_trained_on(make_runs):
    runs = make_runs(seeds=(0,), train=40, test=40)
    data = replace(runs.data[0], fit=("train", "test"))
    runs = replace(runs, data=(data,))
    clean = generalization_gap(runs)["train_error"]
    everything = generalization_gap(runs, against="fit")["train_error"]
    expected = (accuracy(runs, on="train")["error"] + accuracy(runs, on="test")["error"]) / 2
    assert torch.equal(clean, accuracy(runs, on="train")["error"])
    np.testing.assert_allclose(everything, expected, atol=1e-15)
