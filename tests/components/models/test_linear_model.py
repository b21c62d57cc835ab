"""The linear model against torch.nn.Linear."""

from __future__ import annotations

import torch

from gendsl_runtime.models.linear import linear


def test_it_is_a_linear_map_of_the_flattened_input() -> None:
    network = linear((2, 3, 4), 5)
    state = network.init([7, 8])
    assert state.parameters["output.weight"].shape == (2, 5, 24)
    inputs = torch.randn(2, 6, 2, 3, 4)
    outputs, _ = network.apply(state.parameters, {}, inputs, training=False)
    for member in range(2):
        weight, bias = (state.parameters[f"output.{part}"][member] for part in ("weight", "bias"))
        expected = torch.nn.functional.linear(inputs[member].flatten(1), weight, bias)
        torch.testing.assert_close(outputs[member].T, expected)


def test_without_offset() -> None:
    assert set(linear((4,), 2, bias=False).init([0]).parameters) == {"output.weight"}
