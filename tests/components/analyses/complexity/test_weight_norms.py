"""Norms against numpy and against the network as a function."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gendsl_runtime.analyses.complexity.weight_norms import weight_norms


def test_norms_of_each_layer_are_those_of_numpy(make_runs):
    runs = make_runs(hidden=[6, 4])
    given = weight_norms(runs)
    names = [name for name in runs.state.parameters if name.endswith("weight")]
    for layer, name in enumerate(names):
        for member in range(runs.members):
            matrix = runs.state.parameters[name][member].numpy().astype(float)
            frobenius, spectral = np.linalg.norm(matrix), np.linalg.norm(matrix, 2)
            np.testing.assert_allclose(given["frobenius"][member, layer], frobenius, rtol=1e-13)
            np.testing.assert_allclose(given["spectral"][member, layer], spectral, rtol=1e-13)
            np.testing.assert_allclose(
                given["stable_rank"][member, layer], (frobenius / spectral) ** 2, rtol=1e-12
            )
    everything = [
        np.concatenate([v[m].flatten().numpy() for v in runs.state.parameters.values()]) for m in range(3)
    ]
    np.testing.assert_allclose(
        given["total"], np.linalg.norm(np.array(everything, dtype=float), axis=1), rtol=1e-13
    )
    assert given["layer"].tolist() == [1, 2, 3]


@pytest.mark.parametrize("parametrisation", ["standard", "ntk"])
def test_the_product_bounds_how_fast_outputs_change(make_runs, parametrisation):
    """For ReLU the network is Lipschitz with the product of the norms of the matrices that act."""
    runs = make_runs(hidden=[6, 4], activation="relu", parametrisation=parametrisation)
    product = weight_norms(runs)["spectral_product"]
    stream = np.random.default_rng(0)
    first, second = (torch.from_numpy(stream.standard_normal((3, 200, 3))).float() for _ in range(2))
    moved = (runs.outputs(first) - runs.outputs(second)).norm(dim=1)
    rate = (moved / (first - second).norm(dim=2)).amax(1)
    assert (rate <= product * (1 + 1e-5)).all()
    assert (rate > product / 50).all()


def test_a_zero_layer_has_stable_rank_one(make_runs):
    runs = make_runs()
    runs.state.parameters["output.weight"].zero_()
    given = weight_norms(runs)
    assert given["stable_rank"][:, -1].tolist() == [1.0] * 3
    assert given["spectral_product"].tolist() == [0.0] * 3
