"""Optimizers of Adam's family on gradients given by hand, beside those of torch."""

from __future__ import annotations

from collections.abc import Callable

import torch

from gendsl_runtime.train.optimizer import Optimizer


def agrees_with_torch(ours: Callable[..., Optimizer], theirs: type[torch.optim.Optimizer]) -> None:
    """Six steps of two members with rates and decays of their own; equal up to float64 rounding of each step."""
    rates, decays = [0.1, 0.02], [0.01, 0.3]
    made = ours(
        lr=torch.tensor(rates, dtype=torch.float64),
        weight_decay=torch.tensor(decays, dtype=torch.float64),
        beta1=0.8,
        beta2=0.95,
        eps=1e-6,
        schedule=torch.ones(2, 6),
    )
    stack = torch.randn(2, 7, dtype=torch.float64)
    singles = [row.clone().requires_grad_() for row in stack]
    singly = [
        theirs([value], lr=rate, weight_decay=decay, betas=(0.8, 0.95), eps=1e-6)  # type: ignore[call-arg]
        for value, rate, decay in zip(singles, rates, decays, strict=True)
    ]
    slots = tuple(torch.zeros_like(stack) for _ in range(made.slots))
    for step in range(6):
        gradients = torch.randn(2, 7, dtype=torch.float64)
        for member, (value, optimizer) in enumerate(zip(singles, singly, strict=True)):
            value.grad = gradients[member].clone()
            optimizer.step()
        made.update(stack, gradients.clone(), slots, made.rate[:, None], step + 1)
        torch.testing.assert_close(stack, torch.stack([v.detach() for v in singles]), rtol=1e-12, atol=1e-14)


def first_step_has_the_length_of_the_rate(ours: Callable[..., Optimizer]) -> None:
    """Bias correction: m / (1 - beta1) = g and v / (1 - beta2) = g^2, so a value moves by lr g / (|g| + eps).

    With eps = 1e-8 and |g| >= 0.01 that is lr within 1e-6 of it.
    """
    rate = torch.tensor([0.25], dtype=torch.float64)
    made = ours(lr=rate, weight_decay=torch.zeros(1), schedule=torch.ones(1, 1))
    values = torch.zeros(1, 3, dtype=torch.float64)
    gradients = torch.tensor([[4.0, -0.01, 2.0]], dtype=torch.float64)
    made.update(values, gradients, tuple(torch.zeros_like(values) for _ in range(2)), rate[:, None], 1)
    torch.testing.assert_close(values, torch.tensor([[-0.25, 0.25, -0.25]]).double(), rtol=2e-6, atol=0)
