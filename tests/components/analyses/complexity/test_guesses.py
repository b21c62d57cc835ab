"""How many guesses: the estimate of the probability against its exact value."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gendsl_runtime.analyses.complexity.guesses import guesses, harmonic
from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.length import Length
from gendsl_runtime.problem import Problem
from gendsl_runtime.train import artifact
from gendsl_runtime.train.loop import fit
from tests.runtime.members import blobs, component, member


def trained(members):
    return artifact.runs(members, [artifact.pack(one) for one in fit(members)])


@pytest.mark.parametrize("count", [0, 1, 7, 999, 1000, 1001, 12_345])
def test_harmonic_numbers(count) -> None:
    assert harmonic(count) == pytest.approx(sum(1 / j for j in range(1, count + 1)), rel=1e-14, abs=0)


@pytest.mark.parametrize("chance", [0.9, 0.25, 0.01])
def test_the_estimate_has_no_bias(chance) -> None:
    """The sum over all waiting times, in closed form."""
    k = np.arange(1, 6000)
    weights = chance * (1 - chance) ** (k - 1)
    mean = -sum(weight * harmonic(int(number) - 1) for weight, number in zip(weights, k, strict=True))
    assert mean == pytest.approx(np.log(chance), rel=1e-9)


def test_the_probability_of_a_separable_problem() -> None:
    """Labels of 3 unit vectors are met by a random linear map with probability 1/8, by symmetry."""
    split = Split(torch.eye(3), torch.tensor([0, 1, 1]))
    data = Dataset({"train": split, "test": split}, "classification", (3,), 2)
    members = [
        member(
            data,
            model=component("model", "linear", bias=False),
            optimizer=component("optimizer", "guess"),
            batch=None,
            budget=Length(50, "epochs"),
            stop=("train_error", "==", 0.0),
            seed=seed,
        )
        for seed in range(400)
    ]
    found = guesses(trained(members))
    assert abs(found["log_probability"].mean() - np.log(1 / 8)) < 4 * 1.283 / np.sqrt(400)
    assert found["log_probability"][0] == -harmonic(int(found["guesses"][0]) - 1)
    assert found["guesses"].min() == 1


def test_a_run_trained_by_gradients_is_refused() -> None:
    with pytest.raises(Problem, match="counts the guesses"):
        guesses(trained([member(blobs())]))
