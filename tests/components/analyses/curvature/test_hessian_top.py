"""Hessian eigenvalues against the dense Hessian of PyTorch and against matrices with known spectra."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ulp

import numpy as np
import pytest
import torch
from torch import Tensor

from gendsl_runtime.analyses.curvature.hessian_top import hessian_top
from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.losses.mse import mse
from gendsl_runtime.measures.lanczos import Krylov, Search, extreme_pairs
from gendsl_runtime.models.cnn import cnn
from gendsl_runtime.models.linear import linear
from gendsl_runtime.network import State
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Runs


def dense_spectrum(runs: Runs, member: int, split: str) -> np.ndarray:
    """Eigenvalues of the whole Hessian, descending, by PyTorch and LAPACK."""
    one = runs.select([member])
    parameters = one.state.parameters
    inputs, targets = one.split(split)

    def mean_loss(vector: Tensor) -> Tensor:
        pieces = torch.split(vector, [value.numel() for value in parameters.values()])
        values = {n: piece.reshape(v.shape) for (n, v), piece in zip(parameters.items(), pieces, strict=True)}
        outputs = one.network.apply(values, one.state.buffers, inputs, training=False)[0]
        return one.loss(outputs, targets).mean()

    vector = torch.cat([value.flatten() for value in parameters.values()])
    if any(value.ndim > 3 for value in parameters.values()):  # channels-last kernels do not go through vmap
        hessian = torch.autograd.functional.hessian(mean_loss, vector)
    else:
        hessian = torch.func.hessian(mean_loss)(vector)
    return np.linalg.eigvalsh(hessian.double().numpy())[::-1]


@pytest.mark.parametrize("train", [30, 700])
@pytest.mark.parametrize("which", ["largest", "smallest", "magnitude"])
def test_the_dense_hessian_of_a_small_network_in_double_precision(make_runs, which, train):
    """700 examples are two unequal blocks: an average of blocks would miss by far more than the tolerance."""
    runs = make_runs(seeds=(0, 1), train=train, dtype=torch.float64, hidden=[6, 5])
    given = hessian_top(runs, count=4, which=which, tolerance=1e-9)
    for member in range(2):
        spectrum = dense_spectrum(runs, member, "train")
        order = {
            "largest": spectrum,
            "smallest": spectrum[::-1],
            "magnitude": spectrum[np.argsort(-abs(spectrum))],
        }
        np.testing.assert_allclose(given["eigenvalue"][member], order[which][:4], atol=1e-9 * spectrum[0])
    assert (given["converged"] == 1).all()


def test_the_dense_hessian_of_a_convolutional_network() -> None:
    network = cnn((1, 8, 8), 3, channels=[2, 3], hidden=[4], activation="tanh")
    stream = np.random.default_rng(1)
    inputs = torch.from_numpy(stream.standard_normal((12, 1, 8, 8)))
    data = Dataset({"train": Split(inputs, torch.arange(12) % 3)}, "classification", (1, 8, 8), 3)
    runs = Runs(network, network.init((0, 1)).to("cpu", torch.float64), (data,) * 2, (0, 1), log_loss)
    given = hessian_top(runs, count=3, tolerance=1e-9)
    for member in range(2):
        spectrum = dense_spectrum(runs, member, "train")
        np.testing.assert_allclose(given["eigenvalue"][member], spectrum[:3], atol=1e-9 * spectrum[0])


def log_loss(outputs: Tensor, targets: Tensor) -> Tensor:
    return torch.nn.functional.cross_entropy(outputs, targets, reduction="none")


def test_single_precision_is_right_to_its_rounding(make_runs):
    runs = make_runs(train=300, hidden=[8], activation="relu")
    precise = replace(runs, state=runs.state.to("cpu", torch.float64))
    given = hessian_top(runs, count=3)
    for member in range(3):
        spectrum = dense_spectrum(precise, member, "train")
        # Weyl: eigenvalues move by no more than the products err, here float32 sums over 300 examples.
        np.testing.assert_allclose(given["eigenvalue"][member], spectrum[:3], atol=1e-5 * spectrum[0])


def test_repeated_eigenvalues_are_found_as_often_as_they_occur(make_runs):
    """With squared loss, H of a linear map is (2 / C) X^T X / N once for each output: multiplicity C."""
    stream = np.random.default_rng(5)
    inputs = torch.from_numpy(stream.standard_normal((40, 30)) * np.linspace(1, 3, 30))
    targets = torch.from_numpy(stream.standard_normal((40, 3)))
    data = Dataset({"train": Split(inputs, targets)}, "regression", (30,), 3)
    network = linear((30,), 3, bias=False)
    runs = Runs(network, network.init((0,)).to("cpu", torch.float64), (data,), (0,), mse)
    expected = np.repeat(np.linalg.eigvalsh((2 / 3 * inputs.T @ inputs / 40).numpy())[::-1], 3)
    given = hessian_top(runs, count=7, tolerance=1e-6)
    np.testing.assert_allclose(given["eigenvalue"][0], expected[:7], rtol=1e-9)
    assert (given["converged"] == 1).all()
    once = hessian_top(runs, count=2, tolerance=1e-6, repeated=False)
    np.testing.assert_allclose(once["eigenvalue"][0], expected[[0, 3]], rtol=1e-9)


def test_what_has_not_converged_says_so(make_runs):
    runs = make_runs(seeds=(0,), hidden=[20, 20], dtype=torch.float64)
    given = hessian_top(runs, count=3, iterations=4, tolerance=1e-8)
    assert given["products"].tolist() == [4]
    assert given["converged"].tolist() == [[0, 0, 0]]
    spectrum = dense_spectrum(runs, 0, "train")
    distance = abs(spectrum[None, :] - given["eigenvalue"][0].numpy()[:, None]).min(axis=1)
    assert (distance <= given["residual"][0].numpy() * (1 + 1e-9)).all()
    assert (given["residual"] > 1e-8).all()


def test_residuals_are_true_ones_and_bound_the_error(make_runs):
    """Random quadratic with a wide spectrum: Weyl's bound holds for every value, converged or not."""
    size, stream = 120, np.random.default_rng(3)
    basis = np.linalg.qr(stream.standard_normal((size, size)))[0]
    values = np.sort(np.concatenate([[50.0, 20.0, 20.0, -30.0], stream.standard_normal(size - 4)]))[::-1]
    matrix = torch.from_numpy(basis * values @ basis.T)
    for iterations in (5, 12, 60):
        search = Search(3, iterations, 1e-10)
        (space,) = spectra(matrix, search)
        vectors = space.pairs.vectors
        np.testing.assert_allclose(vectors @ vectors.T, np.eye(3), atol=1e-12)
        residuals = (vectors @ matrix - space.pairs.values[:, None] * vectors).norm(dim=1)
        np.testing.assert_allclose(space.pairs.residuals, residuals, atol=1e-11)
        distance = abs(values[None, :] - space.pairs.values.numpy()[:, None]).min(axis=1)
        assert (distance <= residuals.numpy() + 1e-11).all()
    np.testing.assert_allclose(space.pairs.values, [50, 20, 20], rtol=1e-12)
    assert space.is_complete


def spectra(matrix: Tensor, search: Search) -> list[Krylov]:
    size = len(matrix)
    starts = [lambda sweep: torch.from_numpy(np.random.default_rng((7, sweep)).standard_normal(size))]
    return extreme_pairs(
        lambda members: lambda v: v @ matrix, starts, size=size, search=search, device=torch.device("cpu")
    )


@pytest.mark.parametrize(
    "matrix", [torch.zeros(4, 4).double(), torch.eye(4).double(), -torch.eye(1).double()]
)
def test_matrices_without_a_gap(matrix):
    (space,) = spectra(matrix, Search(1, 50, 1e-6))
    assert float(space.pairs.values[0]) == pytest.approx(float(matrix[0, 0]), abs=ulp(1.0) * 8)
    assert space.is_complete


@dataclass(frozen=True)
class Hinge:
    """A loss whose gradient depends on nothing: the Hessian of a linear map under it is zero."""

    def __call__(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return torch.relu(1 - outputs[:, 0])


def test_a_piecewise_linear_loss_has_no_curvature(make_runs):
    runs = make_runs(network=linear((3,), 3))
    given = hessian_top(replace(runs, loss=Hinge()), count=2)
    assert given["eigenvalue"].abs().max() == 0
    assert (given["converged"] == 1).all()


def test_more_eigenvalues_than_parameters_are_refused(make_runs):
    with pytest.raises(Problem, match="12 parameters"):
        hessian_top(make_runs(network=linear((3,), 3)), count=13)


def test_the_state_is_left_as_it_was(make_runs):
    runs = make_runs()
    before = State({n: t.clone() for n, t in runs.state.parameters.items()}, {})
    hessian_top(runs, count=1)
    for name, tensor in runs.state.parameters.items():
        assert torch.equal(tensor, before.parameters[name])
        assert not tensor.requires_grad


def test_matrices_that_are_done_are_no_longer_multiplied():
    stream = np.random.default_rng(3)
    easy = np.diag([9.0, 5.0, 1.0] + [0.0] * 37)
    matrices = [easy, easy / 2, *(_symmetric(stream, 40) for _ in range(2))]
    stack = torch.from_numpy(np.stack(matrices))
    starts = [
        lambda sweep, m=m: torch.from_numpy(np.random.default_rng((m, sweep)).standard_normal(40))
        for m in range(4)
    ]
    asked = []

    def product_of(chosen):
        asked.append(len(chosen))
        return lambda v: torch.stack([stack[m] @ row for m, row in zip(chosen, v, strict=True)])

    search = Search(2, 40, 1e-10, repeated=False)
    together = extreme_pairs(product_of, starts, size=40, search=search, device=torch.device("cpu"))
    assert asked[:2] == [4, 2]
    for m, space in enumerate(together):
        (alone,) = extreme_pairs(
            lambda _, m=m: lambda v: (stack[m] @ v[0])[None],
            [starts[m]],
            size=40,
            search=search,
            device=torch.device("cpu"),
        )
        assert torch.equal(space.pairs.values, alone.pairs.values) and space.products == alone.products
        wanted = np.sort(np.linalg.eigvalsh(matrices[m]))[::-1][:2]
        np.testing.assert_allclose(space.pairs.values, wanted, atol=1e-9)


def _symmetric(stream: np.random.Generator, size: int) -> np.ndarray:
    matrix = stream.standard_normal((size, size))
    return matrix + matrix.T


def test_a_search_for_copies_ends_where_there_are_none():
    """A spectrum as of a network, outliers above a bulk that reaches up to them: what the first sweep left over hardly
    lies in the space of the second, and is followed itself."""
    size, stream = 400, np.random.default_rng(11)
    values = np.sort(np.concatenate([[1.1, 0.77, 0.67, 0.62, 0.48], 0.47 * stream.random(size - 5) ** 4]))[
        ::-1
    ]
    basis = np.linalg.qr(stream.standard_normal((size, size)))[0]
    matrix = torch.from_numpy(basis * values @ basis.T)
    for member in range(12):
        starts = [lambda n, m=member: torch.from_numpy(np.random.default_rng((m, n)).standard_normal(size))]
        once, found = (
            extreme_pairs(
                lambda members: lambda v: v @ matrix,
                starts,
                size=size,
                search=Search(5, 200, 1e-3, repeated=repeated),
                device=torch.device("cpu"),
            )[0]
            for repeated in (False, True)
        )
        assert found.is_complete
        assert found.products <= 4 * once.products
        assert (found.pairs.residuals <= 1e-3 * found.scale).all()
        np.testing.assert_allclose(found.pairs.values, values[:5], atol=1e-4)
