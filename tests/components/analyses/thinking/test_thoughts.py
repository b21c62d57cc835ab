"""Pictures of thoughts."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gendsl_runtime.analyses.thinking.thoughts import thoughts
from gendsl_runtime.datasets.mazes import mazes
from gendsl_runtime.losses.cross_entropy import cross_entropy
from gendsl_runtime.models.deep_thinking import deep_thinking
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Runs


def test_the_last_thought_is_the_answer() -> None:
    data = mazes(side=7, train=3, test=6)
    network = deep_thinking((3, 7, 7), 2, width=8, iterations=5)
    runs = Runs(network, network.init((0, 1)), (data, data), (0, 1), cross_entropy)
    found = thoughts(runs, iterations=5, every=2, examples=3)
    assert found["iteration"].tolist() == [2, 4, 5]
    inputs, targets = runs.split("test")
    share = runs.outputs(inputs[:, :3]).double().softmax(1)[:, 1]
    share = torch.where(targets[:, :3] < 0, torch.nan, share.transpose(1, 2))
    torch.testing.assert_close(found["score"][:, -1].flatten(2), share, atol=1e-6, rtol=0, equal_nan=True)
    truth = found["truth"].flatten(2)
    np.testing.assert_array_equal(np.isnan(truth.numpy()), targets[:, :3] < 0)
    np.testing.assert_array_equal(truth == 1, targets[:, :3] == 1)
    # Floor 1, floor and start 1 + 2, floor and end 1 + 3.
    assert set(found["input"].flatten().tolist()) == {0.0, 1.0, 3.0, 4.0}


def test_a_sequence_is_one_row(make_thinkers) -> None:
    found = thoughts(make_thinkers(), iterations=3, examples=2)
    assert found["score"].shape == (2, 3, 2, 1, 5)


def test_a_class_that_is_not_there(make_thinkers) -> None:
    with pytest.raises(Problem, match="no class 2: the network tells 2 apart") as caught:
        thoughts(make_thinkers(), iterations=2, of=2)
    assert caught.value.help == "of=1"


def test_members_do_not_see_their_company() -> None:
    """Pixels enough for the library's convolutions, and few enough for products."""
    data = mazes(side=7, train=3, test=6)
    for width in (4, 16):
        network = deep_thinking(data.shape, 2, width=width, iterations=5)
        runs = Runs(network, network.init((0, 1, 2)), (data,) * 3, (0, 1, 2), cross_entropy)
        whole = thoughts(runs, iterations=6, examples=6)["score"]
        for members in ([1], [2, 0]):
            part = thoughts(runs.select(members), iterations=6, examples=6)["score"]
            np.testing.assert_array_equal(part, whole[members])
