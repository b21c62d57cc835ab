"""The operations that members are computed with: exact in any company, and right against torch.nn."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from gendsl_runtime.train.layers.activation import FUNCTIONS, Pointwise
from gendsl_runtime.train.layers.conv import Conv
from gendsl_runtime.train.layers.layer import Layered, Pass
from gendsl_runtime.train.layers.linear import FixedLinear, Flatten, Linear
from gendsl_runtime.train.layers.matmul import matmul
from gendsl_runtime.train.layers.norm import BatchNorm, GroupNorm
from gendsl_runtime.train.layers.pool import GlobalAverage, Pool

sizes = st.integers(1, 40)


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 6), sizes, sizes, sizes, st.booleans())
def test_products_do_not_depend_on_the_stack(members, rows, inner, columns, with_bias) -> None:
    left, right = torch.randn(members, rows, inner), torch.randn(members, columns, inner).transpose(1, 2)
    bias = torch.randn(members, rows) if with_bias else None

    def run(pick):
        values = [left[pick].clone().requires_grad_(), right[pick].clone().requires_grad_()]
        out = matmul(*values, None if bias is None else bias[pick])
        return [out, *torch.autograd.grad(out.square().sum(), values)]

    whole = run(slice(None))
    for pick in ([0], [members - 1], [members - 1, 0]):
        assert all(torch.equal(part, full[pick]) for part, full in zip(run(pick), whole, strict=True))
    reference = left.double() @ right.double() + (0 if bias is None else bias[..., None].double())
    # |error| <= n eps sum |a||b| for a sum of n products (Higham 2002, section 3.1).
    bound = (inner + 1) * 2**-23 * (left.abs() @ right.abs() + (0 if bias is None else bias[..., None].abs()))
    assert bool(((whole[0].double() - reference).abs() <= bound.double()).all())


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(sorted(FUNCTIONS)), st.integers(2, 6), sizes, sizes)
def test_activations_do_not_depend_on_the_stack(name, members, features, examples) -> None:
    inputs = 2 * torch.randn(members, features, examples)
    slopes = torch.randn(members, features, examples)

    def run(pick):
        values = inputs[pick].clone().requires_grad_()
        out = FUNCTIONS[name](values)
        return out, torch.autograd.grad(out, values, slopes[pick].clone())[0] if out.requires_grad else out

    whole = run(slice(None))
    for pick in ([0], [members - 1]):
        assert all(torch.equal(part, full[pick]) for part, full in zip(run(pick), whole, strict=True))


def layers():
    """Layers on images of 4 channels, and the torch.nn module of one member in float64."""

    def convolution(parameters, member):
        module = nn.Conv2d(4, 5, 3, stride=2, padding=1).double()
        module.weight.data, module.bias.data = parameters["c.weight"][member], parameters["c.bias"][member]
        return module

    def normal(make):
        def module(parameters, member):
            made = make().double()
            made.weight.data, made.bias.data = parameters["n.weight"][member], parameters["n.bias"][member]
            return made

        return module

    return {
        "conv": (Conv("c", 4, 5, 3, 2, 1), convolution),
        "group": (GroupNorm("n", 4, 2), normal(lambda: nn.GroupNorm(2, 4))),
        "batch": (BatchNorm("n", 4), normal(lambda: nn.BatchNorm2d(4))),
        "max": (Pool(2), lambda *_: nn.MaxPool2d(2)),
        "average": (Pool(2, "average"), lambda *_: nn.AvgPool2d(2)),
        "global": (GlobalAverage(), lambda *_: nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())),
        "flatten": (Flatten(), lambda *_: nn.Flatten()),
        "gelu": (Pointwise("gelu"), lambda *_: nn.GELU()),
    }


@pytest.mark.parametrize("name", sorted(layers()))
@pytest.mark.parametrize("members", [1, 3])
def test_layers_agree_with_torch(name, members) -> None:
    """Values, gradients of the input and running statistics in float64: a thousand roundings of 1e-16 at
    most."""
    layer, module_of = layers()[name]
    state = Layered((4, 6, 7), 1, (layer,)).init(range(members)).to("cpu", torch.float64)
    state = state if "n.weight" not in state.parameters else perturbed(state)
    inputs = torch.randn(members, 5, 4, 6, 7, dtype=torch.float64, requires_grad=True)
    values = Pass(state.parameters, state.buffers, training=True)
    found = layer.apply(values, inputs.movedim(1, -1)).movedim(-1, 1)
    slopes = torch.randn_like(found)
    slope = torch.autograd.grad(found, inputs, slopes)[0]
    for member in range(members):
        module = module_of(state.parameters, member)
        own = inputs[member].detach().requires_grad_()
        expected = module(own)
        torch.testing.assert_close(found[member], expected, rtol=1e-12, atol=1e-13)
        wanted = torch.autograd.grad(expected, own, slopes[member])[0]
        torch.testing.assert_close(slope[member], wanted, rtol=1e-12, atol=1e-13)
        if isinstance(module, nn.BatchNorm2d):
            torch.testing.assert_close(values.updates["n.running_mean"][member], module.running_mean)
            torch.testing.assert_close(values.updates["n.running_var"][member], module.running_var)
            still = Pass(state.parameters, {**state.buffers, **values.updates}, training=False)
            mine = layer.apply(still, inputs.movedim(1, -1)).movedim(-1, 1)[member]
            torch.testing.assert_close(mine, module.eval()(own), rtol=1e-12, atol=1e-13)


def perturbed(state):
    """Scales and offsets that are not one and zero."""
    for value in state.parameters.values():
        value.add_(torch.randn_like(value))
    return state


def test_linear_layers_start_as_torch_starts_them() -> None:
    """Bounds and variance of 60,000 draws: the standard error of a uniform's variance is 0.9 var /
    sqrt(n)."""
    drawn = Linear("l", 300, 200).parameters()["l.weight"].draw("l.weight", 0)
    bound = 1 / 300**0.5
    assert abs(drawn).max() <= bound
    assert abs(drawn.var() / (bound**2 / 3) - 1) < 5 * 0.9 / 60_000**0.5


def test_a_value_is_drawn_from_the_stream_of_its_name_and_seed() -> None:
    layer = FixedLinear("f", 3, 4, 1.0, 0.5)
    both, one = (Layered((3,), 4, (layer,)).init(seeds).buffers["f.weight"] for seeds in ([5, 6], [6]))
    assert torch.equal(both[1:], one)
    assert not torch.equal(both[:1], one)
