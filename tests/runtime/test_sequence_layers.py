"""Layers on sequences against torch.nn in float64, and exact in any company."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from gendsl_runtime.problem import Problem
from gendsl_runtime.train.layers.attention import FEW, Attention
from gendsl_runtime.train.layers.embedding import Embedding, Positions
from gendsl_runtime.train.layers.layer import Layer, Layered, Pass
from gendsl_runtime.train.layers.layer_norm import LayerNorm
from gendsl_runtime.train.layers.recurrent import Recurrent
from gendsl_runtime.train.layers.sequence import Read, Rows, sides

TIGHT = {"rtol": 1e-10, "atol": 1e-11}
"""Some thousand roundings of 1e-16 in each number."""


def drawn(layer: Layer, seeds: range, dtype: torch.dtype = torch.float64) -> dict[str, Tensor]:
    """Values of a layer, those that start constant moved."""
    parameters = Layered((1,), 1, (layer,)).init(seeds).to("cpu", dtype).parameters
    chance = torch.Generator().manual_seed(0)
    return {
        name: value + 0.3 * torch.randn(value.shape, generator=chance, dtype=dtype)
        for name, value in parameters.items()
    }


def passed(
    layer: Layer, parameters: dict[str, Tensor], inputs: Tensor, slopes: Tensor, *, training: bool = True
) -> list[Tensor]:
    """Outputs, and the gradients of inputs and values."""
    leaves = {name: value.clone().requires_grad_() for name, value in parameters.items()}
    values = [inputs.clone().requires_grad_()] if inputs.is_floating_point() else []
    found = layer.apply(Pass(leaves, {}, training=training), values[0] if values else inputs)
    return [found, *torch.autograd.grad(found, [*values, *leaves.values()], slopes)]


def agrees(
    layer: Layer, module: nn.Module, call: Callable[[nn.Module, Tensor], Tensor], inputs: Tensor
) -> None:
    """A layer and a module whose parameters come in one order give the same outputs and gradients.

    `call` takes what the layer takes, `(features, steps, examples)`, and gives what it gives.
    """
    parameters = drawn(layer, range(2))
    module = module.double()
    shape = layer.apply(Pass(parameters, {}, training=True), inputs).shape
    slopes = torch.randn(shape, dtype=torch.float64)
    mine = passed(layer, parameters, inputs, slopes)
    for member in range(2):
        with torch.no_grad():
            for theirs, value in zip(module.parameters(), parameters.values(), strict=True):
                theirs.copy_(value[member])
        own = inputs[member].clone()
        leaves = [own.requires_grad_()] if own.is_floating_point() else []
        found = call(module, own)
        wanted = [found, *torch.autograd.grad(found, [*leaves, *module.parameters()], slopes[member])]
        for one, other in zip(mine, wanted, strict=True):
            torch.testing.assert_close(one[member], other, **TIGHT)


@pytest.mark.parametrize("steps", [1, 3, FEW, FEW + 1, 20])
@pytest.mark.parametrize("heads", [1, 2, 6])
@pytest.mark.parametrize(
    ("is_causal", "is_last"), [(True, False), (False, False), (True, True), (False, True)]
)
def test_attention(steps, heads, is_causal, is_last) -> None:
    def call(module: nn.Module, own: Tensor) -> Tensor:
        rows = own.permute(2, 1, 0)
        mask = torch.ones(steps, steps, dtype=torch.bool).triu(1) if is_causal else None
        found = module(rows, rows, rows, attn_mask=mask, need_weights=False)[0].permute(2, 1, 0)
        return found[:, -1:] if is_last else found

    layer = Attention("a", 6, heads, is_causal, is_last)
    inputs = torch.randn(2, 6, steps, 5, dtype=torch.float64)
    agrees(layer, nn.MultiheadAttention(6, heads, batch_first=True), call, inputs)


def test_layer_norm() -> None:
    inputs = 3 * torch.randn(2, 7, 4, 5, dtype=torch.float64) + 1
    agrees(
        LayerNorm("n", 7), nn.LayerNorm(7), lambda m, own: m(own.permute(2, 1, 0)).permute(2, 1, 0), inputs
    )
    agrees(LayerNorm("n", 7), nn.LayerNorm(7), lambda m, own: m(own.T).T, inputs[:, :, 0])


def test_embedding() -> None:
    tokens = torch.randint(0, 5, (2, 4, 9))
    agrees(Embedding("e", 5, 3), nn.Embedding(5, 3), lambda m, own: m(own).permute(2, 0, 1), tokens)


def test_positions() -> None:
    inputs = torch.randn(2, 3, 4, 5, dtype=torch.float64)
    agrees(Positions("p", 4, 3), nn.Embedding(4, 3), lambda m, own: own + m.weight.T[..., None], inputs)


MODULES = {
    "tanh": lambda: nn.RNN(4, 3),
    "relu": lambda: nn.RNN(4, 3, nonlinearity="relu"),
    "gru": lambda: nn.GRU(4, 3),
    "lstm": lambda: nn.LSTM(4, 3),
}


@pytest.mark.parametrize("cell", sorted(MODULES))
@pytest.mark.parametrize("is_last", [True, False])
@pytest.mark.parametrize("steps", [1, 6])
def test_recurrent(cell, is_last, steps) -> None:
    def call(module: nn.Module, own: Tensor) -> Tensor:
        found = module(own.permute(1, 2, 0))[0].permute(2, 0, 1)
        return found[:, -1] if is_last else found

    inputs = torch.randn(2, 4, steps, 5, dtype=torch.float64)
    layer = Recurrent("r", cell, 4, 3, is_last)
    agrees(layer, MODULES[cell](), call, inputs)
    slopes = torch.randn(2, 3, *(() if is_last else (steps,)), 5, dtype=torch.float64)
    parameters = drawn(layer, range(2))
    written, plain = (passed(layer, parameters, inputs, slopes, training=t) for t in (True, False))
    for one, other in zip(written, plain, strict=True):
        torch.testing.assert_close(one, other, **TIGHT)


def test_images_are_read_row_by_row() -> None:
    images = torch.randn(2, 3, 4, 5, 6)
    rows = Rows().apply(Pass({}, {}, training=True), images)
    assert sides((3, 4, 5)) == (4, 15)
    assert rows.shape == (2, 15, 4, 6)
    assert torch.equal(rows[1, :, 2, 3], images[1, :, 2, :, 3].flatten())
    steps = torch.randn(2, 4, 5, 6)
    assert torch.equal(Rows().apply(Pass({}, {}, training=True), steps), steps.transpose(1, 2))
    with pytest.raises(Problem, match="no sequences"):
        sides((7,))


def layers(width: int, heads: int, steps: int, cell: str) -> list[Layer]:
    return [
        Attention("a", width * heads, heads, is_causal=True),
        Attention("a", width * heads, heads, is_causal=False, is_last=True),
        LayerNorm("n", width * heads),
        Positions("p", steps, width * heads),
        Recurrent("r", cell, width * heads, width),
        Recurrent("r", cell, width * heads, width, is_last=True),
        Read("mean"),
        Embedding("e", width, heads),
    ]


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 7),
    st.integers(1, 9),
    st.sampled_from([1, 2, 4]),
    st.integers(1, 15),
    st.sampled_from([1, 2, 5, 17, 64]),
    st.sampled_from(sorted(MODULES)),
)
def test_members_do_not_depend_on_the_stack(kind, width, heads, steps, examples, cell) -> None:
    """One member, two in another order and seven have the bits they have among 32."""
    layer = layers(width, heads, steps, cell)[kind]
    parameters = drawn(layer, range(32), torch.float32)
    chance = torch.Generator().manual_seed(1)
    if isinstance(layer, Embedding):
        inputs = torch.randint(0, width, (32, steps, examples), generator=chance)
    else:
        inputs = torch.randn(32, width * heads, steps, examples, generator=chance)
    shape = layer.apply(Pass(parameters, {}, training=True), inputs).shape
    slopes = torch.randn(shape, generator=chance)
    whole = passed(layer, parameters, inputs, slopes)
    for pick in ([0], [31], [30, 3], [4, 9, 8, 31, 0, 2, 5]):
        own = {name: value[pick] for name, value in parameters.items()}
        part = passed(layer, own, inputs[pick], slopes[pick].clone())
        assert all(torch.equal(one, full[pick]) for one, full in zip(part, whole, strict=True))
