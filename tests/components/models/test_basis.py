"""Linear regression on polynomials and waves: the functions, against numpy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.polynomial import legendre

from gendsl_runtime.models.basis import basis

FAMILIES = {
    "legendre": lambda x: legendre.legvander(x, 4)[:, 1:],
    "powers": lambda x: np.vander(x, 5, increasing=True)[:, 1:],
    "fourier": lambda x: np.stack([f(k * np.pi * x) for k in range(1, 5) for f in (np.cos, np.sin)], 1),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_outputs_are_combinations_of_the_functions(family: str) -> None:
    """float64, to rounding; of two inputs the functions stand side by side."""
    network = basis((2,), 3, degree=4, family=family)
    state = network.init([1]).to("cpu", torch.float64)
    x = torch.rand(1, 9, 2, dtype=torch.float64) * 2 - 1
    found, _ = network.apply(state.parameters, {}, x, training=False)
    both = [FAMILIES[family](column) for column in x[0].T.numpy()]
    side_by_side = np.stack(both, 2).reshape(9, -1)
    design = np.concatenate([np.ones((9, 1)), side_by_side], 1)
    np.testing.assert_allclose(
        found[0].T.numpy(), design @ state.parameters["output.weight"][0].numpy().T, atol=1e-12
    )


@pytest.mark.parametrize("family", FAMILIES)
def test_degree_zero_is_a_constant(family: str) -> None:
    network = basis((1,), 1, degree=0, family=family)
    state = network.init([1])
    found, _ = network.apply(state.parameters, {}, torch.randn(1, 5, 1), training=False)
    assert torch.equal(found, state.parameters["output.weight"].expand(1, 1, 5))
