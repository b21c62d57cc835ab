"""Laplace's approximation: curvature against dense torch.func, evidence and predictions against closed forms."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal
from torch import Tensor, nn
from torch.func import jacrev

from gendsl_runtime.analyses.evidence.laplace_evidence import laplace_evidence
from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.losses.hinge import hinge
from gendsl_runtime.measures.gauss_newton import blocks
from gendsl_runtime.measures.laplace import laplace
from gendsl_runtime.models.cnn import cnn
from gendsl_runtime.models.linear import linear
from gendsl_runtime.models.mlp import mlp
from gendsl_runtime.models.subspace import subspace
from gendsl_runtime.network import State
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Runs
from tests.components.analyses.evidence.laplace_cases import (
    NETWORKS,
    STRUCTURES,
    dense,
    images,
    make_loss,
    matrix,
    regression,
    ridge,
)

MakeRuns = Callable[..., Runs]


@pytest.mark.parametrize("name", NETWORKS)
def test_full_and_diagonal_against_torch_func(name: str) -> None:
    """At most 300 parameters, float64, to 1e-10 of the largest entry."""
    runs = NETWORKS[name]()
    _, _, expected = dense(runs)
    assert len(expected) <= 300
    atol = 1e-10 * float(expected.abs().max())
    torch.testing.assert_close(matrix(runs, "full"), expected, rtol=0, atol=atol)
    torch.testing.assert_close(matrix(runs, "diagonal"), expected.diag().diag(), rtol=0, atol=atol)
    last = matrix(runs, "last_layer")
    size = sum(v[0].numel() for n, v in runs.state.parameters.items() if n.startswith("output."))
    torch.testing.assert_close(last[-size:, -size:], expected[-size:, -size:], rtol=0, atol=atol)
    assert not last[:-size].any()


def test_any_network_has_a_full_matrix() -> None:
    """A subspace has no layers that are known."""
    runs = images(subspace((4,), 3, lambda shape, outputs: mlp(shape, outputs, hidden=[6]), dimension=7))
    torch.testing.assert_close(matrix(runs, "full"), dense(runs)[2], rtol=1e-9, atol=1e-12)
    with pytest.raises(Problem, match="last layer"):
        blocks(runs, on="train", structure="last_layer")


def test_kronecker_factors_by_hand_of_a_dense_network() -> None:
    """`(1/N) (sum d d^T) (x) (sum x x^T)` with hidden values and slopes by torch.func."""
    runs = NETWORKS["mlp"]()
    found = matrix(runs, "kronecker")
    values = {name: value[0] for name, value in runs.state.parameters.items()}
    x = runs.split("train")[0][0]
    first = torch.tanh(x @ values["hidden.0.weight"].T + values["hidden.0.bias"])
    second = torch.tanh(first @ values["hidden.1.weight"].T + values["hidden.1.bias"])

    def after(offset: Tensor) -> Tensor:
        """Outputs, by what is added to the values of the second layer before its activation."""
        h = torch.tanh(first @ values["hidden.1.weight"].T + values["hidden.1.bias"] + offset)
        return h @ values["output.weight"].T + values["output.bias"]

    slopes = torch.stack([jacrev(after)(torch.zeros(9, 5).double())[n, :, n] for n in range(9)])
    p = torch.softmax(second @ values["output.weight"].T + values["output.bias"], 1)
    weight = torch.diag_embed(p) - p[:, :, None] * p[:, None, :]
    left = torch.einsum("nco,ncd,ndp->op", slopes, weight, slopes)
    start = values["hidden.0.weight"].numel() + values["hidden.0.bias"].numel()
    whole = torch.kron(left, first.T @ first) / 9
    torch.testing.assert_close(found[start : start + 30, start : start + 30], whole, rtol=1e-9, atol=1e-13)
    torch.testing.assert_close(
        found[start + 30 : start + 35, start + 30 : start + 35], left, rtol=1e-9, atol=1e-13
    )


def test_kronecker_factors_by_hand_of_a_convolution() -> None:
    """KFAC-expand: sums over examples and places, divided by both numbers once; patches by `unfold`."""
    runs = NETWORKS["cnn"]()
    found = matrix(runs, "kronecker")
    x = runs.split("train")[0][0]
    patches = torch.nn.functional.unfold(x, 3, padding=1)
    right = torch.einsum("ntp,nup->tu", patches, patches)
    weight, bias = (runs.state.parameters[f"conv.0.{part}"][0] for part in ("weight", "bias"))
    values = {name: value[0] for name, value in runs.state.parameters.items()}

    def after(images: Tensor) -> Tensor:
        h = torch.nn.functional.avg_pool2d(torch.tanh(images), 2).flatten(1)
        h = torch.tanh(h @ values["hidden.0.weight"].T + values["hidden.0.bias"])
        return h @ values["output.weight"].T + values["output.bias"]

    maps = torch.nn.functional.conv2d(x, weight, bias, padding=1)
    jacobian = jacrev(after)(maps)
    slopes = torch.stack([jacobian[n, :, n] for n in range(9)]).flatten(3)
    p = torch.softmax(after(maps), 1)
    middle = torch.diag_embed(p) - p[:, :, None] * p[:, None, :]
    left = torch.einsum("ncot,ncd,ndpt->op", slopes, middle, slopes)
    torch.testing.assert_close(found[:27, :27], torch.kron(left, right) / (9 * 36), rtol=1e-9, atol=1e-13)


def test_kronecker_is_exact_for_one_example_and_layer() -> None:
    runs = images(linear((4,), 3))
    one = replace(
        runs, data=(runs.data[0].with_splits(train=runs.data[0].split("train").take(np.array([3]))),)
    )
    exact, found = dense(one)[2], matrix(one, "kronecker")
    torch.testing.assert_close(found[:12, :12], exact[:12, :12], rtol=1e-9, atol=1e-14)
    torch.testing.assert_close(found[12:, 12:], exact[12:, 12:], rtol=1e-9, atol=1e-14)


def test_evidence_of_a_linear_regression_is_exact() -> None:
    """Against scipy's multivariate normal; then the tuned prior and noise against a dense search."""
    runs, design, y = ridge(regression(linear((3,), 1)), precision=0.7, noise=0.3)
    found = laplace_evidence(runs, structure="full", prior_precision=0.7, noise=0.3)
    covariance = (design @ design.T / 0.7 + 0.09 * torch.eye(len(y)).double()).numpy()
    expected = multivariate_normal(np.zeros(len(y)), covariance).logpdf(y[:, 0].numpy())
    assert found["log_evidence"][0] == pytest.approx(expected, rel=1e-10)
    assert found["per_example"][0] == pytest.approx(expected / 25, rel=1e-10)
    values = np.linalg.eigvalsh((design.T @ design / 0.09).numpy())
    assert found["effective_parameters"][0] == pytest.approx((values / (values + 0.7)).sum(), rel=1e-10)


@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("name", ["mlp", "cnn", "norm", "ntk"])
def test_tuning_is_the_maximum(name: str, structure: str) -> None:
    runs = NETWORKS[name]()
    best = laplace_evidence(runs, structure=structure, tune="prior")
    at = float(best["prior_precision"][0])
    for factor in (0.5, 0.999, 1.001, 2.0):
        other = laplace_evidence(runs, structure=structure, prior_precision=at * factor)
        assert other["log_evidence"][0] <= best["log_evidence"][0] + 1e-9
    held = laplace_evidence(runs, structure=structure, prior_precision=at)
    np.testing.assert_allclose(held["log_evidence"], best["log_evidence"], rtol=1e-12)


def test_tuning_noise_is_the_maximum() -> None:
    runs = NETWORKS["regression"]()
    best = laplace_evidence(runs, structure="full", tune="both")
    at, noise = float(best["prior_precision"][0]), float(best["noise"][0])
    for p, s in ((0.9, 1), (1.1, 1), (1, 0.9), (1, 1.1), (1.1, 1.1), (0.9, 1.1)):
        other = laplace_evidence(runs, structure="full", prior_precision=at * p, noise=noise * s)
        assert other["log_evidence"][0] < best["log_evidence"][0]


def test_rescaled_units_change_the_evidence_and_permuted_ones_do_not() -> None:
    """Relu units: incoming times 3, outgoing divided by 3 is the same function with another prior; swapping two units
    changes nothing, to rounding."""
    runs = images(mlp((4,), 3, hidden=[6]))
    values = {name: value.clone() for name, value in runs.state.parameters.items()}
    order = [1, 0, 2, 3, 4, 5]
    swapped = {
        "hidden.0.weight": values["hidden.0.weight"][:, order],
        "hidden.0.bias": values["hidden.0.bias"][:, order],
        "output.weight": values["output.weight"][:, :, order],
        "output.bias": values["output.bias"],
    }
    scaled = {
        **values,
        "hidden.0.weight": values["hidden.0.weight"] * 3,
        "hidden.0.bias": values["hidden.0.bias"] * 3,
    }
    scaled["output.weight"] = values["output.weight"] / 3
    for structure in STRUCTURES:
        found = laplace_evidence(runs, structure=structure)["log_evidence"]
        same = laplace_evidence(replace(runs, state=State(swapped, {})), structure=structure)["log_evidence"]
        np.testing.assert_allclose(same, found, rtol=1e-10)
        other = laplace_evidence(replace(runs, state=State(scaled, {})), structure=structure)["log_evidence"]
        assert abs(other[0] - found[0]) > 0.1


def test_float32_is_near_float64_and_chunks_do_not_matter(make_runs: MakeRuns) -> None:
    """1100 examples are three blocks; float32 products are within 1e-4 nats of 1e3."""
    double = make_runs((0,), train=1100, dtype=torch.float64, hidden=[8])
    single = replace(double, state=double.state.to("cpu", torch.float32))
    data = tuple(
        replace(one, splits={n: Split(s.inputs.float(), s.targets) for n, s in one.splits.items()})
        for one in double.data
    )
    single = replace(single, data=data)
    for structure in STRUCTURES:
        a, b = (laplace_evidence(runs, structure=structure)["log_evidence"] for runs in (double, single))
        np.testing.assert_allclose(a, b, rtol=1e-5)
    (posterior,) = laplace(double, on="train", structure="full", precision=1.0, noise=1.0)
    _, _, exact = dense(double)
    values = torch.linalg.eigvalsh(exact)
    np.testing.assert_allclose(posterior.blocks[0].values.numpy(), values.clamp_min(0).numpy(), atol=1e-9)


def test_other_losses_are_refused(make_runs: MakeRuns) -> None:
    runs = replace(make_runs(), loss=hinge)
    with pytest.raises(Problem, match="cross_entropy"):
        laplace_evidence(runs)


def test_too_many_parameters_are_refused(make_runs: MakeRuns) -> None:
    with pytest.raises(Problem, match="not formed whole"):
        laplace_evidence(make_runs(hidden=[900]), structure="full")


RECORDED = {
    ("mlp", "full"): -56.4685148231604,
    ("mlp", "kronecker"): -64.02817334831961,
    ("mlp", "diagonal"): -70.58515879828653,
    ("mlp", "last_layer"): -51.26322115187027,
    ("cnn", "full"): -55.304535648587766,
    ("cnn", "kronecker"): -61.471953114053846,
    ("cnn", "diagonal"): -66.486515564171,
    ("cnn", "last_layer"): -48.10959368249354,
}
"""`log_marginal_likelihood` of laplace-torch 0.3 (curvlinops 3.0, torch 2.13) with prior precision 0.7, one batch."""


def layers_of_torch(kind: str) -> list[nn.Module]:
    if kind == "mlp":
        return [nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 3)]
    first = [nn.Conv2d(1, 3, 3, padding=1), nn.Tanh(), nn.AvgPool2d(2), nn.Flatten()]
    return [*first, nn.Linear(27, 4), nn.Tanh(), nn.Linear(4, 3)]


@pytest.mark.parametrize(("kind", "structure"), RECORDED)
def test_laplace_torch_says_the_same(kind: str, structure: str) -> None:
    """The same weights and data, drawn by torch from seed 0 in float64; 1e-9 relative."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        torch.manual_seed(0)
        weights = [value.detach() for layer in layers_of_torch(kind) for value in layer.parameters()]
        shape = (4,) if kind == "mlp" else (1, 6, 6)
        x, y = torch.randn(40, *shape), torch.randint(0, 3, (40,))
    finally:
        torch.set_default_dtype(before)
    network = (
        mlp(shape, 3, hidden=[6, 5], activation="tanh")
        if kind == "mlp"
        else cnn(shape, 3, channels=[3], hidden=[4], activation="tanh", pool="average")
    )
    names = network.init([0]).parameters
    state = State({name: value[None] for name, value in zip(names, weights, strict=True)}, {})
    data = Dataset({"train": Split(x, y)}, "classification", shape, 3)
    runs = Runs(network, state, (data,), (0,), torch.nn.functional.cross_entropy)
    found = laplace_evidence(runs, structure=structure, prior_precision=0.7)
    assert found["log_evidence"][0] == pytest.approx(RECORDED[kind, structure], rel=1e-9)


@pytest.mark.parametrize("tune", ["prior", "both"])
def test_where_there_is_no_maximum_the_end_is_taken(tune: str) -> None:
    """Weights of zero make every narrower prior better; a perfect fit every smaller noise, at one ratio of both."""
    runs = regression(linear((3,), 1))
    nothing = {name: torch.zeros_like(value) for name, value in runs.state.parameters.items()}
    zero = replace(runs, state=replace(runs.state, parameters=nothing))
    found = laplace_evidence(zero, structure="full", tune=tune, noise=0.5)
    mean = float(runs.split("train")[1].square().mean())
    assert found["noise"][0] == pytest.approx(math.sqrt(mean) if tune == "both" else 0.5, rel=1e-9)
    ratio = found["prior_precision"][0] * (found["noise"][0] ** 2 if tune == "both" else 1.0)
    assert ratio == pytest.approx(1e12, rel=1e-9)
    assert np.isfinite(found["log_evidence"][0])
    inputs, _ = runs.split("train")
    exact = Split(inputs[0], runs.outputs(inputs)[0].T.detach())
    fitted = replace(runs, data=(runs.data[0].with_splits(train=exact),))
    found = laplace_evidence(fitted, structure="full", tune=tune)
    assert all(np.isfinite(value).all() for value in found.values())
    if tune == "both":
        weights = sum(float(value.square().sum()) for value in runs.state.parameters.values())
        assert found["prior_precision"][0] == pytest.approx(25 / weights, rel=1e-6)


def test_tuning_ends_where_the_slope_is_zero() -> None:
    """MacKay's fixed points, to 1e-9: `a |w|^2` and `(n - R / s^2)` both are the well-determined parameters."""
    runs = NETWORKS["regression"]()
    found = laplace_evidence(runs, structure="full", tune="both")
    a, noise, own = (float(found[name][0]) for name in ("prior_precision", "noise", "effective_parameters"))
    squares = sum(float(value.square().sum()) for value in runs.state.parameters.values())
    inputs, targets = runs.split("train")
    rest = float((runs.outputs(inputs).detach() - targets.transpose(1, 2)).square().sum())
    assert a * squares == pytest.approx(own, rel=1e-9)
    assert targets.numel() - rest / noise**2 == pytest.approx(own, rel=1e-9)


@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("network", ["dense", "convolutions"])
def test_a_member_does_not_depend_on_its_stack(network: str, structure: str) -> None:
    """To the bit, in float32, over two blocks of examples."""
    chance = torch.Generator().manual_seed(3)
    shape = (5,) if network == "dense" else (1, 6, 6)
    x, y = torch.randn(530, *shape, generator=chance), torch.randint(0, 3, (530,), generator=chance)
    data = Dataset({"train": Split(x, y)}, "classification", shape, 3)
    made = (
        mlp(shape, 3, hidden=[7, 6], norm="layer")
        if network == "dense"
        else cnn(shape, 3, channels=[2], hidden=[5])
    )
    seeds = tuple(range(9))
    runs = Runs(made, made.init(seeds), (data,) * 9, seeds, make_loss())
    whole = laplace_evidence(runs, structure=structure, tune="prior")
    for members in ([4], [8, 0, 3]):
        part = laplace_evidence(runs.select(members), structure=structure, tune="prior")
        for name, values in part.items():
            np.testing.assert_array_equal(values, whole[name][members], err_msg=name)
