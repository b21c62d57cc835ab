"""AdamW against torch.optim on gradients given by hand (whole trainings:
tests/runtime/test_torch_agreement)."""

from __future__ import annotations

import torch

from gendsl_runtime.optimizers.adamw import adamw


def test_members_with_rates_of_their_own_agree_with_torch() -> None:
    rates, decays = [0.1, 0.02], [0.01, 0.3]
    made = adamw(
        lr=torch.tensor(rates, dtype=torch.float64),
        weight_decay=torch.tensor(decays, dtype=torch.float64),
        beta1=0.8,
        beta2=0.95,
        eps=1e-6,
        schedule=torch.ones(2, 6),
    )
    stack = torch.randn(2, 7, dtype=torch.float64)
    singles = [row.clone().requires_grad_() for row in stack]
    theirs = [
        torch.optim.AdamW([value], lr=r, weight_decay=w, betas=(0.8, 0.95), eps=1e-6)
        for value, r, w in zip(singles, rates, decays, strict=True)
    ]
    slots = tuple(torch.zeros_like(stack) for _ in range(made.slots))
    for step in range(6):
        gradients = torch.randn(2, 7, dtype=torch.float64)
        for member, (value, optimizer) in enumerate(zip(singles, theirs, strict=True)):
            value.grad = gradients[member].clone()
            optimizer.step()
        made.update(stack, gradients.clone(), slots, made.rate[:, None], step + 1)
        torch.testing.assert_close(stack, torch.stack([v.detach() for v in singles]), rtol=1e-12, atol=1e-14)


def test_the_first_step_has_the_length_of_the_rate() -> None:
    """Bias correction: m / (1 - beta1) = g and v / (1 - beta2) = g^2, so each value moves by lr g / (|g| +
    eps)."""
    rate = torch.tensor([0.25], dtype=torch.float64)
    made = adamw(lr=rate, weight_decay=torch.zeros(1), schedule=torch.ones(1, 1))
    values = torch.zeros(1, 3, dtype=torch.float64)
    gradients = torch.tensor([[4.0, -0.01, 2.0]], dtype=torch.float64)
    made.update(values, gradients, tuple(torch.zeros_like(values) for _ in range(2)), rate[:, None], 1)
    torch.testing.assert_close(values, torch.tensor([[-0.25, 0.25, -0.25]]).double(), rtol=2e-6, atol=0)
