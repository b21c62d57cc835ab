"""How far a kernel moved, between constructed networks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from gendsl_runtime.analyses.kernels.kernel_movement import kernel_movement
from gendsl_runtime.analyses.kernels.tangent_kernel import tangent_kernel
from gendsl_runtime.network import State
from gendsl_runtime.runs import Runs


def test_of_a_run_from_itself_is_nothing(make_runs: Callable[..., Runs]) -> None:
    runs = make_runs()
    for name, value in kernel_movement(runs, other=runs).items():
        np.testing.assert_allclose(value, 0, atol=1e-12, err_msg=name)


def test_a_linear_model_has_a_kernel_that_never_moves(make_runs: Callable[..., Runs]) -> None:
    for value in kernel_movement(make_runs((0, 1), hidden=[]), other=make_runs((5, 6), hidden=[])).values():
        assert value.shape == (2,)
    same = make_runs((0, 1), hidden=[], is_shared=True)
    np.testing.assert_allclose(
        kernel_movement(same, other=make_runs((5, 6), hidden=[], is_shared=True))["relative_change"],
        0,
        atol=1e-12,
    )


def test_agrees_with_the_formulas(make_runs: Callable[..., Runs]) -> None:
    runs, other = make_runs((0, 1), is_shared=True), make_runs((7, 8), is_shared=True, hidden=[4, 6])
    found = kernel_movement(runs, other=other)
    for member in range(2):
        k, l = (np.asarray(tangent_kernel(one)["kernel"])[member] for one in (runs, other))
        cosine = np.trace(k @ l) / np.sqrt(np.trace(k @ k) * np.trace(l @ l))
        assert float(found["distance"][member]) == pytest.approx(1 - cosine)
        assert float(found["relative_change"][member]) == pytest.approx(
            np.linalg.norm(k - l) / np.linalg.norm(l)
        )


def test_a_factor_changes_the_length_alone(make_runs: Callable[..., Runs]) -> None:
    """Doubling a linear network's output layer makes the kernel of the layer before four times as large."""
    runs = make_runs((0,), hidden=[], bias=False, parametrisation="ntk", scale=1.0)
    twice = make_runs((0,), hidden=[], bias=False, parametrisation="ntk", scale=2.0)
    found = kernel_movement(
        Runs(twice.network, State(runs.state.parameters, {}), runs.data, (0,), runs.loss), other=runs
    )
    assert float(found["distance"][0]) == pytest.approx(0, abs=1e-12)
    assert float(found["relative_change"][0]) == pytest.approx(3)
