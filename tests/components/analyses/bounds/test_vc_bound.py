"""Counting bounds: by hand, against exhaustive counts of linear separations, and what is refused."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch

from gendsl_runtime.analyses.bounds.vc_bound import Stage, dimension, log_growth, vc_bound
from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.models.cnn import cnn
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Runs

MakeRuns = Callable[..., Runs]


def test_by_hand(make_runs: MakeRuns) -> None:
    """relu, 3-5-3: 20 weights in the first layer, 38 in all; 60 points, 3 pairs of classes."""
    runs = make_runs((0, 1), train=30, hidden=[5], activation="relu")
    found = vc_bound(runs)
    first = math.log(2) + 20 * math.log(2 * math.e * 60 * 5 * 1 / 20)
    last = min(60 * 3 * math.log(2), math.log(2) + 38 * math.log(2 * math.e * 60 * 3 * 2 / 38))
    growth = min(first + last, 60 * math.log(3))
    np.testing.assert_allclose(found["log_growth"], growth)
    expected = found["error"] + math.sqrt(8 * (growth + math.log(80)) / 30)
    np.testing.assert_allclose(found["bound"], expected)
    np.testing.assert_array_equal(found["is_vacuous"], 1)


def test_growth_is_above_the_exact_count_of_half_spaces() -> None:
    """Cover's count `2 sum_k C(n - 1, k)` of separations of n points by d weights; the dimension is at least d."""
    for d in (2, 5):
        stages = [Stage(1, 0, d)]
        for n in (d, 10, 100):
            exact = 2 * sum(math.comb(n - 1, k) for k in range(d))
            assert log_growth(stages, n, pairs=1) >= math.log(exact) - 1e-9
        assert dimension(stages) >= d


def test_the_dimension_is_where_counting_ends() -> None:
    stages = [Stage(5, 1, 20), Stage(3, 1, 38)]
    n = dimension(stages)
    assert log_growth(stages, n, pairs=1) >= n * math.log(2) > 0
    assert log_growth(stages, n + 1, pairs=1) < (n + 1) * math.log(2)


def test_enough_examples_make_it_less_than_one() -> None:
    """A linear classifier of two classes on 3000 points."""
    growth = log_growth([Stage(2, 0, 6)], 6000, pairs=1)
    assert math.sqrt(8 * (growth + math.log(80)) / 3000) < 0.5


def test_max_pooling_is_refused() -> None:
    x, y = torch.randn(6, 1, 4, 4), torch.arange(6) % 3
    data = Dataset({"train": Split(x, y), "test": Split(x, y)}, "classification", (1, 4, 4), 3)
    for pool, is_fine in (("max", False), ("average", True)):
        network = cnn((1, 4, 4), 3, channels=[2], hidden=[], pool=pool)
        runs = Runs(network, network.init([1]), (data,), (1,), torch.nn.functional.cross_entropy)
        if is_fine:
            assert vc_bound(runs)["bound"].shape == (1,)
        else:
            with pytest.raises(Problem, match="max pooling"):
                vc_bound(runs)
