"""The kernel of a run as an analysis; `tests/runtime/test_tangent.py` compares it with Jacobians."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from gendsl_runtime.analyses.kernels.tangent_kernel import tangent_kernel
from gendsl_runtime.runs import Runs


def test_is_the_sum_over_parameters(make_runs: Callable[..., Runs]) -> None:
    runs = make_runs(train=9)
    found = np.asarray(tangent_kernel(runs, examples=7)["kernel"])
    assert found.shape == (3, 7, 7)
    inputs = runs.split("train")[0].double()
    for member in range(3):
        values = {name: tensor[member].double() for name, tensor in runs.state.parameters.items()}
        call = torch.func.vmap(
            lambda x, values=values: torch.func.jacrev(
                lambda own: runs.network.apply(
                    {name: tensor[None] for name, tensor in own.items()}, {}, x[None, None], training=False
                )[0][0, :, 0]
            )(values)
        )
        rows = torch.cat([part.flatten(2) for part in call(inputs[member, :7]).values()], 2)
        np.testing.assert_allclose(found[member], torch.einsum("icp,jcp->ij", rows, rows) / 3, rtol=1e-10)


def test_permuted_units_and_repeated_data_change_nothing(make_runs: Callable[..., Runs]) -> None:
    """A permutation of hidden units is another name for the same function of the same parameters."""
    runs = make_runs(seeds=(0,))
    before = np.asarray(tangent_kernel(runs)["kernel"])
    order, values = torch.tensor([3, 1, 0, 4, 2]), dict(runs.state.parameters)
    values["hidden.0.weight"] = values["hidden.0.weight"][:, order]
    values["hidden.0.bias"] = values["hidden.0.bias"][:, order]
    values["output.weight"] = values["output.weight"][:, :, order]
    moved = Runs(runs.network, type(runs.state)(values, {}), runs.data, runs.seeds, runs.loss)
    np.testing.assert_allclose(np.asarray(tangent_kernel(moved)["kernel"]), before, rtol=1e-10)


def test_rescaled_layers_change_it(make_runs: Callable[..., Runs]) -> None:
    """The function stays as it was, the geometry of its parameters does not."""
    runs = make_runs(seeds=(0,), activation="relu")
    before = np.asarray(tangent_kernel(runs)["kernel"])
    values = dict(runs.state.parameters)
    for name, factor in (("hidden.0.weight", 2.0), ("hidden.0.bias", 2.0), ("output.weight", 0.5)):
        values[name] = values[name] * factor
    moved = Runs(runs.network, type(runs.state)(values, {}), runs.data, runs.seeds, runs.loss)
    x = runs.split("train")[0]
    np.testing.assert_allclose(moved.outputs(x), runs.outputs(x), rtol=1e-5, atol=1e-6)
    assert np.abs(np.asarray(tangent_kernel(moved)["kernel"]) / before - 1).max() > 0.1
