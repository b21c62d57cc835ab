"""Mean squared error."""

from __future__ import annotations

import torch
from torch.nn.functional import mse_loss, one_hot

from gendsl_runtime.losses.mse import mse


def test_numbers() -> None:
    outputs, targets = torch.randn(2, 3, 7), torch.randn(2, 7, 3)
    expected = mse_loss(outputs, targets.transpose(1, 2), reduction="none").mean(1)
    torch.testing.assert_close(mse(outputs, targets), expected)


def test_labels_stand_for_unit_vectors() -> None:
    outputs, labels = torch.randn(2, 3, 7), torch.randint(0, 3, (2, 7))
    torch.testing.assert_close(mse(outputs, labels), mse(outputs, one_hot(labels, 3).float()))


def test_a_perfect_prediction_costs_nothing() -> None:
    targets = torch.randn(1, 4, 2)
    assert not mse(targets.transpose(1, 2), targets).any()
