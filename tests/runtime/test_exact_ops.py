"""The operations that members are computed with: exact in any company, and right against torch.nn."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gendsl_runtime.train.layers.activation import FUNCTIONS
from gendsl_runtime.train.layers.layer import Layered
from gendsl_runtime.train.layers.linear import FixedLinear, Linear
from gendsl_runtime.train.layers.matmul import matmul

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
