"""SGD against torch.optim on gradients given by hand (whole trainings:
tests/runtime/test_torch_agreement)."""

from __future__ import annotations

import pytest
import torch

from gendsl_runtime.optimizers.sgd import sgd


@pytest.mark.parametrize("nesterov", [False, True])
def test_members_with_rates_of_their_own_agree_with_torch(nesterov) -> None:
    rates, momenta, decays = ([0.1, 0.02], [0.9, 0.5], [0.01, 0.3])
    schedule = torch.rand(2, 5, dtype=torch.float64)
    columns = [torch.tensor(values, dtype=torch.float64) for values in (rates, momenta, decays)]
    made = sgd(
        lr=columns[0], momentum=columns[1], weight_decay=columns[2], nesterov=nesterov, schedule=schedule
    )
    stack = torch.randn(2, 7, dtype=torch.float64)
    singles = [row.clone().requires_grad_() for row in stack]
    theirs = [
        torch.optim.SGD([value], lr=r, momentum=m, weight_decay=w, nesterov=nesterov)
        for value, r, m, w in zip(singles, rates, momenta, decays, strict=True)
    ]
    slots = tuple(torch.zeros_like(stack) for _ in range(made.slots))
    for step in range(5):
        gradients = torch.randn(2, 7, dtype=torch.float64)
        for member, (value, optimizer) in enumerate(zip(singles, theirs, strict=True)):
            value.grad = gradients[member].clone()
            optimizer.param_groups[0]["lr"] = rates[member] * float(schedule[member, step])
            optimizer.step()
        rate = (made.rate[:, None] * made.schedule)[:, step : step + 1]
        made.update(stack, gradients.clone(), slots, rate, step + 1)
        torch.testing.assert_close(stack, torch.stack([v.detach() for v in singles]), rtol=1e-12, atol=1e-14)


def test_without_momentum_it_keeps_nothing() -> None:
    zero, one = torch.zeros(1), torch.ones(1)
    assert sgd(lr=one, momentum=zero, weight_decay=zero, schedule=one[:, None]).slots == 0
