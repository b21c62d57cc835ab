"""Cross-entropy against torch, with a smoothing of each member's own."""

from __future__ import annotations

import torch
from torch.nn.functional import cross_entropy as reference

from gendsl_runtime.losses.cross_entropy import cross_entropy


def test_it_agrees_with_torch() -> None:
    outputs, targets = torch.randn(3, 5, 8, dtype=torch.float64), torch.randint(0, 5, (3, 8))
    shares = torch.tensor([0.0, 0.1, 0.4], dtype=torch.float64)
    found = cross_entropy(outputs, targets, label_smoothing=shares)
    for member in range(3):
        expected = reference(
            outputs[member].T, targets[member], reduction="none", label_smoothing=float(shares[member])
        )
        torch.testing.assert_close(found[member], expected)


def test_no_smoothing_gives_the_same_bits_beside_a_member_that_has_some() -> None:
    outputs, targets = torch.randn(2, 5, 8), torch.randint(0, 5, (2, 8))
    alone = cross_entropy(outputs[:1], targets[:1], label_smoothing=torch.zeros(1))
    together = cross_entropy(outputs, targets, label_smoothing=torch.tensor([0.0, 0.3]))
    assert torch.equal(alone, together[:1])


def test_equal_outputs_cost_log_classes() -> None:
    found = cross_entropy(torch.zeros(1, 4, 2), torch.tensor([[1, 3]]), label_smoothing=torch.zeros(1))
    torch.testing.assert_close(found, torch.full((1, 2), 4.0).log())
