"""What was recorded while training comes back as it was."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from gendsl_runtime.analyses.prediction.history import history
from gendsl_runtime.execute.perform import payloads
from gendsl_runtime.store.payload import unpack


def test_curves_keep_their_own_length(make_runs):
    recorded = tuple(
        {
            "epoch": torch.arange(1, length + 1),
            "train_loss": torch.linspace(1.0, 0.5, length),
            "train_error": torch.linspace(0.5, 0.0, length),
        }
        for length in (3, 7)
    )
    runs = replace(make_runs(seeds=(0, 1)), history=recorded, steps=(30, 70), stopped=(True, False))
    given = history(runs)
    assert [len(curve) for curve in given["train_error"]] == [3, 7]
    assert given["epochs"].tolist() == [3, 7]
    assert given["steps"].tolist() == [30, 70]
    assert given["stopped"].tolist() == [1, 0]
    assert given["final_error"].tolist() == [0.0, 0.0]
    np.testing.assert_allclose(given["final_loss"], [0.5, 0.5])
    np.testing.assert_array_equal(given["epoch"][1], np.arange(1, 8))
    np.testing.assert_allclose(given["train_loss"][1], np.linspace(1.0, 0.5, 7), atol=1e-7)


def test_each_run_is_stored_with_its_own_epochs(make_runs):
    recorded = tuple(
        {"epoch": torch.arange(1, n + 1), "train_loss": torch.ones(n), "train_error": torch.zeros(n)}
        for n in (2, 5)
    )
    runs = replace(make_runs(seeds=(0, 1)), history=recorded, steps=(2, 5), stopped=(True, True))
    gives = ["train_error", "train_loss", "epochs", "steps", "stopped", "final_error", "final_loss"]
    stored = [unpack(one)[0] for one in payloads("history", history(runs), gives=gives, members=2)]
    assert [one["epoch"].tolist() for one in stored] == [[1, 2], [1, 2, 3, 4, 5]]
    assert [one["train_loss"].shape for one in stored] == [(2,), (5,)]
    assert [int(one["epochs"]) for one in stored] == [2, 5]


def test_regression_has_no_error(make_runs):
    recorded = {"epoch": torch.arange(1, 3), "train_loss": torch.tensor([2.0, 1.0])}
    given = history(replace(make_runs(seeds=(0,)), history=(recorded,), steps=(2,), stopped=(False,)))
    assert np.isnan(given["train_error"][0]).all()
    assert given["train_loss"][0].tolist() == [2.0, 1.0]


def test_a_run_of_no_steps_has_empty_curves(make_runs):
    given = history(replace(make_runs(seeds=(0,)), history=({},), steps=(0,), stopped=(False,)))
    assert given["epochs"].tolist() == [0]
    assert len(given["train_loss"][0]) == 0
