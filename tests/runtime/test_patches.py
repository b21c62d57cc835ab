"""Convolutions by patches and poolings, written out: what autograd finds, and the same bits in any stack."""

from __future__ import annotations

from math import prod
from typing import Literal

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from gendsl_runtime import components
from gendsl_runtime.network import State
from gendsl_runtime.train.build import StackedLoss
from gendsl_runtime.train.gradient import Differentiated, Written, gradient
from gendsl_runtime.train.layers.activation import FUNCTIONS, Pointwise
from gendsl_runtime.train.layers.conv import Conv
from gendsl_runtime.train.layers.dropout import Dropout
from gendsl_runtime.train.layers.layer import Layered, Pass
from gendsl_runtime.train.layers.layer_norm import LayerNorm
from gendsl_runtime.train.layers.linear import Flatten, Linear
from gendsl_runtime.train.layers.patches import PatchConv, written_out
from gendsl_runtime.train.layers.pool import Pool
from gendsl_runtime.train.layers.written import Room, Trace
from tests.runtime.layer_cases import drawn_noise

MEMBERS = 7

pools: st.SearchStrategy[Literal["max", "average"]] = st.sampled_from(["max", "average"])


@st.composite
def networks(draw) -> Layered:
    """Two convolutions, perhaps a pooling, a norm and dropout, and a linear layer; down to one of everything."""
    size, stride, padding = draw(st.integers(1, 4)), draw(st.integers(1, 2)), draw(st.integers(0, 2))
    sides = [draw(st.integers(max(1, size - 2 * padding), 7)) for _ in range(2)]
    shape = (draw(st.integers(1, 4)), *sides)
    units = draw(st.integers(1, 9))
    layers = [PatchConv("first", shape[0], units, size, stride, padding, bias=draw(st.booleans()))]
    sides = [(side + 2 * padding - size) // stride + 1 for side in sides]
    layers.append(Pointwise(draw(st.sampled_from(sorted(FUNCTIONS)))))
    if min(sides) > 1:
        layers.append(Pool(2, draw(pools)))
        sides = [side // 2 for side in sides]
    more = draw(st.integers(1, 9))
    layers += [PatchConv("second", units, more, 3, padding=1), Pointwise("relu"), Flatten()]
    layers += [LayerNorm("norm", more * prod(sides))] if draw(st.booleans()) else []
    layers += [Dropout("dropout", 0.4)] if draw(st.booleans()) else []
    return Layered(shape, 4, (*layers, Linear("output", more * prod(sides), 4)))


def smoothed(dtype: torch.dtype, members: int) -> StackedLoss:
    share = {"label_smoothing": torch.full((members,), 0.1, dtype=dtype)}
    return StackedLoss(components.load("loss", "cross_entropy"), {}, share)


def found(net: Layered, state: State, rows: list[int], inputs: Tensor, targets: Tensor) -> list[Tensor]:
    """Outputs, losses and gradients of some members, in the memory of an earlier step."""
    own = state.select(torch.tensor(rows))
    into = {name: torch.empty_like(value) for name, value in own.parameters.items()}
    by_hand = gradient(net, smoothed(inputs.dtype, len(rows)), own.parameters, into)
    assert isinstance(by_hand, Written)
    with torch.inference_mode():
        by_hand(own.buffers, -inputs[rows], targets[rows], drawn_noise(rows))
        step = by_hand(own.buffers, inputs[rows], targets[rows], drawn_noise(rows))
    return [step.outputs, step.losses, *step.gradients]


@settings(max_examples=60, deadline=None)
@given(networks(), st.sampled_from([1, 2, 5, 8, 17]), st.data())
def test_neither_number_nor_position_matters(net, examples, data) -> None:
    chance = torch.Generator().manual_seed(examples)
    inputs = torch.randn(MEMBERS, examples, *net.shape, generator=chance)
    targets, state = torch.randint(0, 4, (MEMBERS, examples), generator=chance), net.init(range(MEMBERS))
    everyone = list(range(MEMBERS))
    whole = found(net, state, everyone, inputs, targets)
    for count in (1, 2, 5):
        rows = data.draw(st.permutations(everyone))[:count]
        parts = found(net, state, rows, inputs, targets)
        assert all(torch.equal(part, full[rows]) for part, full in zip(parts, whole, strict=True))


@settings(max_examples=60, deadline=None)
@given(networks(), st.sampled_from([1, 3]), st.sampled_from([1, 6]))
def test_gradients_are_those_of_autograd(net, members, examples) -> None:
    """In float64: a few thousand roundings of 1e-16."""
    state = net.init(range(members)).to("cpu", torch.float64)
    inputs = torch.randn(members, examples, *net.shape, dtype=torch.float64)
    targets = torch.randint(0, 4, (members, examples))
    leaves = {name: value.clone().requires_grad_() for name, value in state.parameters.items()}
    expected = Differentiated(net, smoothed(torch.float64, members), leaves)(
        state.buffers, inputs, targets, drawn_noise(list(range(members)))
    )
    wanted = [expected.outputs, expected.losses, *expected.gradients]
    rows = list(range(members))
    for one, other in zip(found(net, state, rows, inputs, targets), wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize(("side", "is_written"), [(8, True), (28, False)])
def test_only_little_work_is_written_out(side, is_written) -> None:
    conv = written_out(Conv("c", 8, 16, 3, padding=1), side // 2, side // 2)
    assert isinstance(conv, PatchConv) == is_written
    assert conv.parameters() == Conv("c", 8, 16, 3, padding=1).parameters()


@pytest.mark.parametrize("kind", ["max", "average"])
@pytest.mark.parametrize("shape", [(1, 1, 2, 2, 1), (3, 2, 5, 4, 9)])
def test_of_equal_pixels_the_same_one_gets_the_slope(kind, shape) -> None:
    layer, values, room = Pool(2, kind), Pass({}, {}, training=True), Room()
    inputs = torch.randint(0, 2, shape).float().requires_grad_()
    expected = layer.apply(values, inputs)
    slopes = torch.randn(expected.shape)
    outputs = layer.push(values, inputs.detach(), room, is_free=False)
    assert torch.equal(outputs, expected)
    trace = Trace(inputs.detach(), outputs, is_first=False)
    mine = layer.pull(values, trace, slopes, {}, room)
    assert torch.equal(mine, torch.autograd.grad(expected, inputs, slopes)[0])
