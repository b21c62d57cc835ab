"""Operator norms against dense matrices of convolutions, and Lipschitz bounds against what networks do."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from gendsl_runtime.analyses.complexity.operator_norms import operator_norms
from gendsl_runtime.analyses.complexity.weight_norms import weight_norms
from gendsl_runtime.measures.norms import Map, maps
from gendsl_runtime.models.cnn import cnn
from gendsl_runtime.models.mlp import mlp
from gendsl_runtime.models.resnet import resnet
from tests.components.analyses.examples.explicit import images


def dense(one: Map) -> torch.Tensor:
    size = one.kernel.shape[1] * math.prod(one.sides)
    return torch.stack([one.apply(unit) for unit in torch.eye(size, dtype=torch.float64)], 1)


@pytest.mark.parametrize("size", [1, 2, 3, 5])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("padding", [0, 1, 2])
@pytest.mark.parametrize("sides", [(5, 5), (6, 7)])
def test_convolutions_as_matrices(size, stride, padding, sides):
    kernel = torch.randn(3, 2, size, size, dtype=torch.float64, generator=torch.Generator().manual_seed(size))
    one = Map("conv", kernel, sides, stride, padding)
    matrix = dense(one)
    found, residual = one.spectral()
    assert found == pytest.approx(float(torch.linalg.svdvals(matrix)[0]), rel=1e-9)
    assert residual < 1e-6 * found
    np.testing.assert_allclose(one.rows(), matrix.norm(dim=1), rtol=1e-12, atol=1e-15)


def test_tiny_images_and_kernels_of_zeros():
    assert Map("conv", torch.full((1, 1, 1, 1), -3.0).double(), (1, 1)).spectral() == (3.0, 0.0)
    assert Map("conv", torch.zeros(2, 2, 3, 3).double(), (4, 4), 1, 1).spectral() == (0.0, 0.0)


def test_layers_of_networks(make_runs):
    runs = make_runs(hidden=[7, 5], parametrisation="ntk")
    given, plain = operator_norms(runs), weight_norms(runs)
    assert given["layer"].tolist() == ["hidden.0", "hidden.1", "output"]
    for name in ("spectral", "frobenius", "stable_rank"):
        np.testing.assert_allclose(given[name], plain[name], rtol=1e-12)
    np.testing.assert_allclose(given["lipschitz"], given["product"], rtol=1e-12)  # tanh
    runs = images(cnn((1, 8, 8), 3, channels=(2, 3), hidden=(5,)))
    given = operator_norms(runs)
    assert given["layer"].tolist() == ["conv.0", "conv.1", "hidden.0", "output"]
    for member, own in enumerate(maps(runs)):
        for place in (0, 1):
            matrix = dense(own[place])
            expected = float(torch.linalg.svdvals(matrix)[0])
            assert given["spectral"][member, place] == pytest.approx(expected, rel=1e-9)
            assert given["frobenius"][member, place] == pytest.approx(float(matrix.norm()), rel=1e-12)
    assert (given["spectral"][:, :2] > weight_norms(runs)["spectral"][:, :2].numpy() * 1.05).all()


NETWORKS = {
    "batch": cnn((1, 8, 8), 3, channels=(3,), hidden=(5,), norm="batch", pool="average"),
    "gelu": cnn((1, 8, 8), 3, channels=(3,), hidden=(5,), activation="gelu"),
    "resnet": resnet((1, 8, 8), 3, norm="batch"),
    "skip": mlp((1, 8, 8), 3, hidden=(6, 6), skip=True, activation="erf"),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_no_gradient_is_steeper_than_the_bound(name):
    runs = images(NETWORKS[name])
    bound = operator_norms(runs)["lipschitz"]
    inputs = runs.split("train")[0]
    for member in range(2):
        one = runs.select([member])
        for x in inputs[member]:
            jacobian = torch.autograd.functional.jacobian(
                lambda x, one=one: one.outputs(x[None, None])[0, :, 0], x
            ).flatten(1)
            assert 0 < float(torch.linalg.svdvals(jacobian)[0]) <= bound[member]


def test_a_linear_network_of_one_path_meets_the_bound():
    runs = images(mlp((1, 8, 8), 3, hidden=(), activation="identity"))
    weight = runs.state.parameters["output.weight"]
    np.testing.assert_allclose(
        operator_norms(runs)["lipschitz"], torch.linalg.matrix_norm(weight, 2), rtol=1e-12
    )


def test_normalisation_by_the_input_has_no_bound(make_runs):
    assert np.isinf(operator_norms(make_runs(norm="layer"))["lipschitz"]).all()
    assert np.isfinite(operator_norms(make_runs(norm="layer"))["product"]).all()


def test_a_convolution_that_sees_no_pixel_is_zero() -> None:
    """One place, on the border of zeros."""
    seen = Map("conv", torch.ones(1, 1, 1, 1, dtype=torch.float64), (2, 2), stride=3, padding=1)
    assert seen.apply(torch.ones(4, dtype=torch.float64)).abs().sum() == 0
    assert seen.spectral() == (0.0, 0.0)
