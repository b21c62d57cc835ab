"""Every layer gives a member the same bits in any company: outputs, gradients and running statistics."""

from __future__ import annotations

from functools import cache

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from gendsl_runtime.network import State, Tensors
from gendsl_runtime.train.layers.layer import Layered
from gendsl_runtime.train.layers.pool import Pool
from tests.runtime.layer_cases import CASES, drawn_noise

MEMBERS = 32


@cache
def values(name: str) -> State:
    return CASES[name].state(range(MEMBERS), torch.float32)


def passed(
    name: str, pick: list[int], inputs: Tensor, slopes: Tensor | None
) -> tuple[Tensor, list[Tensor], Tensors]:
    """Outputs, gradients of inputs and parameters, and new buffers of some members."""
    case, state = CASES[name], values(name).select(pick)
    own = inputs[pick].requires_grad_()
    leaves = {key: value.requires_grad_() for key, value in state.parameters.items()}
    found, buffers = case.network.apply(leaves, state.buffers, own, training=True, noise=drawn_noise(pick))
    slopes = torch.ones_like(found) if slopes is None else slopes[pick]
    return found.detach(), list(torch.autograd.grad(found, [own, *leaves.values()], slopes)), buffers


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(CASES)), st.sampled_from([1, 2, 3, 8, 33]), st.data())
def test_neither_number_nor_position_matters(name, examples, data) -> None:
    chance = torch.Generator().manual_seed(examples)
    inputs = torch.randn(MEMBERS, examples, *CASES[name].shape, generator=chance)
    everyone = list(range(MEMBERS))
    shape = passed(name, everyone, inputs, None)[0].shape
    slopes = torch.randn(shape, generator=chance)
    whole, gradients, buffers = passed(name, everyone, inputs, slopes)
    for count in (1, 2, 7, MEMBERS):
        pick = data.draw(st.permutations(everyone))[:count]
        out, own, moved = passed(name, pick, inputs, slopes)
        assert torch.equal(out, whole[pick])
        assert all(torch.equal(a, b[pick]) for a, b in zip(own, gradients, strict=True))
        assert all(torch.equal(moved[key], buffers[key][pick]) for key in moved)


@pytest.mark.parametrize("members", [1, 3])
def test_of_equal_pixels_the_first_gets_the_slope(members) -> None:
    """As in torch: by rows, then by columns; also where all are zero after a rectification."""
    network = Layered((2, 4, 4), 2, (Pool(2),))
    inputs = torch.randint(0, 2, (members, 5, 2, 4, 4)).float().requires_grad_()
    found, _ = network.apply({}, {}, inputs, training=True)
    slope = torch.autograd.grad(found.sum(), inputs)[0].view(members, 5, 2, 2, 2, 2, 2).transpose(4, 5)
    patches = inputs.detach().view(members, 5, 2, 2, 2, 2, 2).transpose(4, 5).reshape(-1, 4)
    expected = torch.nn.functional.one_hot(patches.argmax(1), 4).float()
    for row, patch in enumerate(patches):
        first = int((patch == patch.max()).nonzero()[0])
        assert int(expected[row].argmax()) == first
    assert torch.equal(slope.reshape(-1, 4), expected)
