"""Empirical neural tangent kernels against the full Jacobian."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.measures import tangent
from gendsl_runtime.measures.tangent import tangent_kernel
from gendsl_runtime.models.cnn import cnn
from gendsl_runtime.models.mlp import mlp
from gendsl_runtime.models.resnet import resnet
from gendsl_runtime.models.rnn import rnn
from gendsl_runtime.models.transformer import transformer
from gendsl_runtime.network import Network
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Runs

NETWORKS = {
    "mlp": lambda: mlp((5,), 3, hidden=[7, 6], activation="tanh"),
    "ntk": lambda: mlp((5,), 3, hidden=[9], activation="relu", parametrisation="ntk", scale=1.3),
    "norms": lambda: mlp((5,), 3, hidden=[5, 5], activation="gelu", norm="layer", skip=True, bias=False),
    "cnn": lambda: cnn((2, 6, 6), 3, channels=[3, 4], hidden=[5], activation="tanh", norm="batch"),
    "resnet": lambda: resnet((2, 6, 6), 3, width=3, stages=2),
    "rnn": lambda: rnn((4, 3), 3, hidden=5, cell="gru"),
    "transformer": lambda: transformer((4, 3), 3, width=4, heads=2, layers=1),
}


def one(network: Network, dtype: torch.dtype = torch.float64) -> Runs:
    data = Dataset(
        {"train": Split(torch.zeros(1, *network.shape), torch.zeros(1))}, "classification", network.shape, 3
    )
    return Runs(network, network.init((3,)).to("cpu", dtype), (data,), (3,), lambda outputs, targets: outputs)


def batch(runs: Runs, size: int, seed: int = 0) -> Tensor:
    chance = torch.Generator().manual_seed(seed)
    return torch.randn(1, size, *runs.network.shape, generator=chance, dtype=torch.float64)


def jacobian(runs: Runs, inputs: Tensor) -> Tensor:
    """`(N, C, P)`, by autograd one output of one example at a time."""
    leaves = {name: value.detach().requires_grad_() for name, value in runs.state.parameters.items()}
    rows = []
    for example in range(inputs.shape[1]):
        outputs = runs.outputs(inputs[:, example : example + 1], leaves)[0, :, 0]
        for value in outputs:
            parts = torch.autograd.grad(value, list(leaves.values()), retain_graph=True)
            rows.append(torch.cat([part.flatten() for part in parts]))
    return torch.stack(rows).view(inputs.shape[1], -1, rows[0].numel())


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("is_square", [True, False])
def test_is_the_product_of_jacobians(name: str, is_square: bool) -> None:
    runs = one(NETWORKS[name]())
    inputs, others = batch(runs, 6), None if is_square else batch(runs, 4, seed=1)
    left, right = (jacobian(runs, part) for part in (inputs, inputs if others is None else others))
    outputs = left.shape[1]
    expected = {
        "full": left.flatten(0, 1) @ right.flatten(0, 1).T,
        "trace": torch.einsum("icp,jcp->ij", left, right) / outputs,
        "sum": left.sum(1) @ right.sum(1).T / outputs,
    }
    for of, kernel in expected.items():
        # Sums of P float64 products: P eps relative to the largest entry.
        tolerance = 2e-16 * left.shape[2] * 10 * float(kernel.abs().max())
        np.testing.assert_allclose(
            tangent_kernel(runs, inputs, others, of=of), kernel, rtol=0, atol=tolerance, err_msg=of
        )


def test_blocks_of_rows_and_of_examples_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = one(NETWORKS["cnn"]())
    inputs = batch(runs, 9)
    whole = tangent_kernel(runs, inputs, of="full")
    monkeypatch.setattr(tangent, "ROWS", 1)
    monkeypatch.setattr(tangent, "BLOCK", 4)
    np.testing.assert_allclose(tangent_kernel(runs, inputs, of="full"), whole, rtol=1e-12, atol=1e-13)


def test_float32_is_close_to_float64() -> None:
    exact, rounded = (one(NETWORKS["mlp"](), dtype) for dtype in (torch.float64, torch.float32))
    inputs = batch(exact, 6)
    found = tangent_kernel(rounded, inputs.float(), of="full").double()
    expected = tangent_kernel(exact, inputs, of="full")
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * float(expected.abs().max()))


def test_what_would_not_fit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tangent, "LARGEST", 1000)
    with pytest.raises(Problem, match="is not formed"):
        runs = one(NETWORKS["mlp"]())
        tangent_kernel(runs, batch(runs, 9), of="full")
    with pytest.raises(Problem, match="is not formed"):
        runs = one(NETWORKS["rnn"]())
        tangent_kernel(runs, batch(runs, 9))
