"""The recurrent network against torch.nn."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from gendsl_runtime.models.rnn import rnn

MODULES = {
    "tanh": lambda inputs: nn.RNN(inputs, 5, 2, batch_first=True),
    "relu": lambda inputs: nn.RNN(inputs, 5, 2, batch_first=True, nonlinearity="relu"),
    "gru": lambda inputs: nn.GRU(inputs, 5, 2, batch_first=True),
    "lstm": lambda inputs: nn.LSTM(inputs, 5, 2, batch_first=True),
}


@pytest.mark.parametrize("cell", sorted(MODULES))
@pytest.mark.parametrize("kind", ["tokens", "steps", "image"])
def test_it_agrees_with_torch(cell, kind) -> None:
    """Two layers, outputs and every gradient in float64."""
    shape, inputs = {"tokens": ((6,), 3), "steps": ((6, 4), 4), "image": ((2, 6, 3), 6)}[kind]
    vocabulary = 9 if kind == "tokens" else None
    names = {"cell": "rnn", "activation": cell} if cell in ("tanh", "relu") else {"cell": cell}
    network = rnn(shape, 3, vocabulary, hidden=5, layers=2, embedding=3, **names)
    leaves = {
        name: value.requires_grad_()
        for name, value in network.init([3]).to("cpu", torch.float64).parameters.items()
    }
    module = nn.ModuleList([MODULES[cell](inputs), nn.Linear(5, 3)]).double()
    table = nn.Embedding(9, 3).double()
    theirs = [*(table.parameters() if vocabulary else ()), *module.parameters()]
    with torch.no_grad():
        for value, given in zip(theirs, leaves.values(), strict=True):
            value.copy_(given[0])
    given = torch.randn(1, 7, *shape, dtype=torch.float64)
    if vocabulary:
        given = torch.randint(0, 9, (1, 7, 6))
        rows = table(given[0])
    else:
        rows = given[0] if kind == "steps" else given[0].permute(0, 2, 1, 3).flatten(2)
    expected = module[1](module[0](rows)[0][:, -1])
    outputs, _ = network.apply(leaves, {}, given, training=True)
    torch.testing.assert_close(outputs[0].T, expected, rtol=1e-10, atol=1e-11)
    slopes = torch.randn_like(expected)
    wanted = torch.autograd.grad(expected, theirs, slopes)
    found = torch.autograd.grad(outputs, list(leaves.values()), slopes.T[None])
    for mine, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(mine[0], other, rtol=1e-10, atol=1e-11)


def test_it_starts_as_torch_starts_it() -> None:
    values = rnn((4, 3), 2, hidden=25, cell="lstm").init([0]).parameters
    assert all(value.abs().max() <= 0.2 for value in values.values())
    recurrent = [value for name, value in values.items() if name.startswith("recurrent")]
    assert all(value.abs().max() > 0.15 for value in recurrent)
