"""The adding problem."""

from __future__ import annotations

import pytest
import torch

from gendsl_runtime.datasets.adding_problem import adding_problem


@pytest.mark.parametrize("length", [2, 3, 50])
def test_the_target_is_the_sum_of_the_two_marked_numbers(length) -> None:
    data = adding_problem(length=length, train=500).checked("adding_problem")
    for split in data.splits.values():
        numbers, marks = split.inputs.double().unbind(2)
        assert torch.equal(marks[:, : length // 2].sum(1), torch.ones(len(split), dtype=torch.float64))
        assert torch.equal(marks[:, length // 2 :].sum(1), torch.ones(len(split), dtype=torch.float64))
        # Rounding both numbers and the sum, below 2, to float32.
        torch.testing.assert_close(
            (numbers * marks).sum(1), split.targets[:, 0].double(), rtol=0, atol=2.5e-7
        )


def test_saying_one_has_an_error_of_a_sixth() -> None:
    """The squared deviation of a sum of two uniform numbers has mean 1/6 and variance 7/180."""
    targets = adding_problem(train=20_000).splits["train"].targets.double()
    assert abs(float((targets - 1).square().mean()) - 1 / 6) < 5 * (7 / 180 / 20_000) ** 0.5


def test_every_step_may_be_marked() -> None:
    marks = adding_problem(length=7, train=1000).splits["train"].inputs[..., 1].sum(0)
    expected = torch.tensor([1000 / 3] * 3 + [250.0] * 4)
    # A count of n draws with probability p has the variance n p (1 - p).
    assert bool(((marks - expected).abs() < 5 * (expected * (1 - expected / 1000)).sqrt()).all())


def test_splits_are_drawn_by_themselves() -> None:
    small, large = (adding_problem(length=9, train=train).splits for train in (50, 200))
    assert torch.equal(large["train"].inputs[:50], small["train"].inputs)
    assert torch.equal(large["test"].inputs, small["test"].inputs)
