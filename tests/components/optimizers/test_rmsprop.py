"""RMSprop against torch.optim on gradients given by hand (whole trainings: tests/runtime/test_torch_agreement)."""

from __future__ import annotations

import pytest
import torch

from gendsl_runtime.optimizers.rmsprop import rmsprop

RATES, MOMENTA, DECAYS = [0.1, 0.02], [0.9, 0.5], [0.01, 0.3]


@pytest.mark.parametrize("centered", [False, True])
@pytest.mark.parametrize("has_momentum", [False, True])
def test_members_with_values_of_their_own_agree_with_torch(centered, has_momentum) -> None:
    momenta = MOMENTA if has_momentum else [0.0, 0.0]
    lr, momentum, weight_decay = (
        torch.tensor(column, dtype=torch.float64) for column in (RATES, momenta, DECAYS)
    )
    made = rmsprop(
        lr=lr,
        momentum=momentum,
        weight_decay=weight_decay,
        decay=0.9,
        eps=1e-6,
        centered=centered,
        schedule=torch.ones(2, 6),
    )
    stack = torch.randn(2, 7, dtype=torch.float64)
    singles = [row.clone().requires_grad_() for row in stack]
    theirs = [
        torch.optim.RMSprop([v], lr=r, momentum=m, weight_decay=d, alpha=0.9, eps=1e-6, centered=centered)
        for v, r, m, d in zip(singles, RATES, momenta, DECAYS, strict=True)
    ]
    slots = tuple(torch.zeros_like(stack) for _ in range(made.slots))
    for step in range(6):
        gradients = torch.randn(2, 7, dtype=torch.float64)
        for member, (value, optimizer) in enumerate(zip(singles, theirs, strict=True)):
            value.grad = gradients[member].clone()
            optimizer.step()
        made.update(stack, gradients.clone(), slots, made.rate[:, None], step + 1)
        torch.testing.assert_close(stack, torch.stack([v.detach() for v in singles]), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(
    ("centered", "momentum", "slots"), [(False, 0.0, 1), (True, 0.0, 2), (False, 0.5, 2), (True, 0.5, 3)]
)
def test_it_keeps_what_it_uses(centered, momentum, slots) -> None:
    one, zero = torch.ones(1), torch.zeros(1)
    made = rmsprop(
        lr=one, momentum=one * momentum, weight_decay=zero, centered=centered, schedule=one[:, None]
    )
    assert made.slots == slots
