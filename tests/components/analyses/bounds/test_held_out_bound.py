"""The test-set bound against a search over the binomial."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom

from gendsl_runtime.analyses.bounds.held_out_bound import held_out_bound
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Runs

MakeRuns = Callable[..., Runs]


def test_held_out_bound_against_a_search(make_runs: MakeRuns) -> None:
    found = held_out_bound(make_runs(), on="test", confidence=0.9)
    for error, bound in zip(found["error"], found["bound"], strict=True):
        grid = np.linspace(0, 1, 20_001)
        inside = grid[binom.cdf(round(error * 20), 20, grid) >= 0.1]
        assert abs(inside.max() - bound) < 1e-4


def test_a_confidence_of_one_is_refused(make_runs: MakeRuns) -> None:
    with pytest.raises(Problem, match="confidence"):
        held_out_bound(make_runs(), confidence=1.0)


def test_examples_that_were_trained_on_are_refused(make_runs: MakeRuns) -> None:
    """Weights as they were drawn have seen nothing."""
    runs = make_runs()
    assert held_out_bound(runs, on="train")["bound"].shape == (3,)
    moved = {name: value + 0.1 for name, value in runs.state.parameters.items()}
    trained = replace(runs, state=replace(runs.state, parameters=moved))
    for split in ("train", "fit"):
        with pytest.raises(Problem, match="not trained on"):
            held_out_bound(trained, on=split)
    assert held_out_bound(trained)["bound"].shape == (3,)
