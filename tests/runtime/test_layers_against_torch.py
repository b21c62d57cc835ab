"""All layers in float64 against torch.nn: outputs, gradients and running statistics."""

from __future__ import annotations

import copy

import pytest
import torch

from tests.runtime.layer_cases import CASES, drawn_noise

TIGHT = {"rtol": 1e-10, "atol": 1e-11}
"""Some thousand roundings of 1e-16 in each number."""


@pytest.mark.parametrize("name", sorted(CASES))
@pytest.mark.parametrize("members", [1, 3])
def test_it_agrees_with_torch(name, members) -> None:
    case, seeds = CASES[name], range(members)
    state = case.state(seeds, torch.float64)
    leaves = {key: value.requires_grad_() for key, value in state.parameters.items()}
    inputs = torch.randn(members, 6, *case.shape, dtype=torch.float64, requires_grad=True)
    random = drawn_noise(list(seeds))
    found, buffers = case.network.apply(leaves, state.buffers, inputs, training=True, noise=random)
    slopes = torch.randn_like(found)
    gradients = torch.autograd.grad(found, [inputs, *leaves.values()], slopes)
    still, _ = case.network.apply(leaves, buffers, inputs, training=False)
    for member in seeds:
        module = copy.deepcopy(case.module(member)).double().train()
        with torch.no_grad():
            for theirs, value in zip(module.parameters(), leaves.values(), strict=True):
                theirs.copy_(value[member])
        own = inputs[member].detach().requires_grad_()
        expected = module(own)
        torch.testing.assert_close(found[member].movedim(-1, 0), expected, **TIGHT)
        wanted = torch.autograd.grad(expected, [own, *module.parameters()], slopes[member].movedim(-1, 0))
        for mine, theirs in zip(gradients, wanted, strict=True):
            torch.testing.assert_close(mine[member], theirs, **TIGHT)
        running = [value for key, value in module.named_buffers() if "running" in key]
        for mine, theirs in zip(buffers.values(), running, strict=True):
            torch.testing.assert_close(mine[member], theirs, **TIGHT)
        torch.testing.assert_close(still[member].movedim(-1, 0), module.eval()(own), **TIGHT)
