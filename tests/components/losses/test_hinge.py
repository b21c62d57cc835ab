"""The multiclass hinge loss against a loop over examples, and its binary case."""

from __future__ import annotations

import torch

from gendsl_runtime.losses.hinge import hinge


def test_the_formula_example_by_example() -> None:
    outputs, labels, margins = torch.randn(2, 4, 6), torch.randint(0, 4, (2, 6)), torch.tensor([1.0, 2.0])
    found = hinge(outputs, labels, margin=margins)
    for member in range(2):
        for example in range(6):
            scores, label = outputs[member, :, example].tolist(), int(labels[member, example])
            rival = max(score for index, score in enumerate(scores) if index != label)
            expected = max(0.0, float(margins[member]) + rival - scores[label])
            assert abs(found[member, example].item() - expected) < 1e-6


def test_two_classes_are_the_binary_loss_of_the_difference() -> None:
    outputs, labels = torch.randn(1, 2, 9), torch.randint(0, 2, (1, 9))
    sign = 2.0 * labels - 1
    expected = torch.relu(1 - sign * (outputs[:, 1] - outputs[:, 0]))
    torch.testing.assert_close(hinge(outputs, labels, margin=torch.ones(1)), expected)


def test_gradients_are_finite_everywhere() -> None:
    outputs = torch.zeros(1, 3, 2, requires_grad=True)
    hinge(outputs, torch.tensor([[0, 2]]), margin=torch.ones(1)).sum().backward()
    assert bool(outputs.grad.isfinite().all())
