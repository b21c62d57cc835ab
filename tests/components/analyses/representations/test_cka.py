"""CKA: the three estimators against the sums of the papers, and what changes it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations

import numpy as np
import pytest
import torch
from scipy.spatial.distance import pdist, squareform
from torch import Tensor

from gendsl_runtime.analyses.representations.cka import cka
from gendsl_runtime.measures.alike import hsic, linear, rbf
from gendsl_runtime.measures.layers import hidden
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Runs


def layers(runs: Runs, count: int) -> list[list[np.ndarray]]:
    """For each member its layers `(examples, features)`."""
    found = hidden(runs, runs.split("test")[0][:, :count])
    return [[value[member].double().numpy().T for value in found.values()] for member in range(runs.members)]


def gram(x: np.ndarray, kernel: str) -> np.ndarray:
    if kernel == "linear":
        return x @ x.T
    apart = pdist(x)
    # The lower of the two middle ones, as torch takes it.
    median = np.sort(apart)[(len(apart) - 1) // 2]
    return np.exp(-(squareform(apart) ** 2) / (2 * (0.4 * median) ** 2))


def biased(k: np.ndarray, l: np.ndarray) -> float:
    n = len(k)
    h = np.eye(n) - 1 / n
    return float(np.trace(k @ h @ l @ h) / (n - 1) ** 2)


def unbiased(k: np.ndarray, l: np.ndarray) -> float:
    """Song et al. (2012), equation 5, as it is written."""
    n = len(k)
    k, l = k - np.diag(np.diag(k)), l - np.diag(np.diag(l))
    one = np.ones(n)
    return float(
        (
            np.trace(k @ l)
            + one @ k @ one * (one @ l @ one) / ((n - 1) * (n - 2))
            - 2 / (n - 2) * one @ k @ l @ one
        )
        / (n * (n - 3))
    )


def ratio(across: float, left: float, right: float) -> float:
    return across / np.sqrt(left * right)


@pytest.mark.parametrize("kernel", ["linear", "rbf"])
@pytest.mark.parametrize(("estimator", "estimate"), [("biased", biased), ("unbiased", unbiased)])
def test_against_the_papers(
    make_runs: Callable[..., Runs], kernel: str, estimator: str, estimate: Callable
) -> None:
    """Float64 sums of 20 x 20 numbers."""
    runs = make_runs(hidden=[7, 40])
    found = np.asarray(cka(runs, kernel=kernel, estimator=estimator)["cka"])
    for member, own in enumerate(layers(runs, 20)):
        grams = [gram(x, kernel) for x in own]
        for i, k in enumerate(grams):
            for j, l in enumerate(grams):
                expected = ratio(estimate(k, l), estimate(k, k), estimate(l, l))
                assert found[member, i, j] == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_minibatches_average_above_and_below_the_root(make_runs: Callable[..., Runs]) -> None:
    runs = make_runs(seeds=(0,), hidden=[7])
    found = np.asarray(cka(runs, estimator="minibatch", batch=6)["cka"])
    first, second = layers(runs, 20)[0]
    parts = []
    for start in (0, 6, 12):
        k, l = (x[start : start + 6] @ x[start : start + 6].T for x in (first, second))
        parts.append((unbiased(k, l), unbiased(k, k), unbiased(l, l)))
    assert found[0, 0, 1] == pytest.approx(ratio(*np.mean(parts, axis=0)), rel=1e-9)
    # The mean of ratios of batches is something else.
    assert abs(found[0, 0, 1] - np.mean([ratio(*part) for part in parts])) > 1e-3


def test_the_unbiased_estimate_is_unbiased() -> None:
    """Its mean over all ordered samples of 4 of 6 examples is the one of all 6, and that of the biased one is not."""
    stream = np.random.default_rng(0)
    x, y = stream.standard_normal((2, 6, 3))
    whole = unbiased(x @ x.T, y @ y.T)
    parts = [list(part) for part in permutations(range(6), 4)]
    means = [np.mean([of(x[p] @ x[p].T, y[p] @ y[p].T) for p in parts]) for of in (unbiased, biased)]
    assert means[0] == pytest.approx(whole, rel=1e-9)
    assert abs(means[1] - biased(x @ x.T, y @ y.T)) > 1e-3
    left, right = (linear(torch.from_numpy(z.T.copy())[None]) for z in (x, y))
    assert float(hsic(left, right, is_biased=False)[0]) == pytest.approx(whole, rel=1e-9)


def own(x: Tensor, y: Tensor, *, is_biased: bool = True, bandwidth: float | None = None) -> float:
    left, right = (linear(z[None]) if bandwidth is None else rbf(z[None], bandwidth) for z in (x, y))
    parts = [hsic(a, b, is_biased=is_biased) for a, b in ((left, right), (left, left), (right, right))]
    return float(parts[0] / (parts[1] * parts[2]).sqrt())


def test_rotations_and_factors_leave_it_alone_and_maps_do_not() -> None:
    chance = torch.Generator().manual_seed(0)
    x = torch.randn(6, 40, generator=chance, dtype=torch.float64)
    turn = torch.linalg.qr(torch.randn(6, 6, generator=chance, dtype=torch.float64))[0]
    for options in ({}, {"is_biased": False}, {"bandwidth": 0.4}):
        assert own(x, 3 * turn @ x + 5, **options) == pytest.approx(1, abs=1e-9)
    stretched = torch.diag(torch.logspace(0, 2, 6, dtype=torch.float64)) @ turn @ x
    assert own(x, stretched) < 0.9


def test_more_features_than_examples_make_strangers_alike() -> None:
    """The biased estimate of independent noise tends to 1; the unbiased one stays within its standard error."""
    chance = torch.Generator().manual_seed(1)
    x, y = torch.randn(2, 2000, 30, generator=chance, dtype=torch.float64)
    assert own(x, y) > 0.9
    assert abs(own(x, y, is_biased=False)) < 4 * np.sqrt(2) / 30


def test_between_two_runs(make_runs: Callable[..., Runs]) -> None:
    runs, wider = make_runs((0, 1)), make_runs((5, 6), hidden=[9, 4])
    found = cka(runs, other=wider)
    assert found["layer"].tolist() == ["hidden.0", "output"]
    assert found["other_layer"].tolist() == ["hidden.0", "hidden.1", "output"]
    assert np.asarray(found["cka"]).shape == (2, 2, 3)
    back = np.asarray(
        cka(Runs(wider.network, wider.state, runs.data, wider.seeds, wider.loss), other=runs)["cka"]
    )
    np.testing.assert_allclose(np.asarray(found["cka"]), back.transpose(0, 2, 1), rtol=1e-9)
    with pytest.raises(Problem, match="takes examples of 4"):
        cka(runs, other=make_runs((0, 1), features=4))


def test_a_constant_layer_has_none(make_runs: Callable[..., Runs]) -> None:
    runs = make_runs((0,), activation="relu")
    runs.state.parameters["hidden.0.bias"].fill_(-1e6)
    found = np.asarray(cka(runs)["cka"])
    assert np.isnan(found).all()
    with pytest.raises(Problem, match="CKA of 3"):
        cka(runs, examples=3)


def test_float32_is_close_to_float64(make_runs: Callable[..., Runs]) -> None:
    """Representations in float32 are wrong by 1e-6 of their size, and so is what is made of them."""
    rounded, exact = (make_runs(hidden=[7, 6], dtype=dtype) for dtype in (torch.float32, torch.float64))
    for options in ({}, {"estimator": "unbiased"}, {"kernel": "rbf"}):
        found, expected = (np.asarray(cka(runs, **options)["cka"]) for runs in (rounded, exact))
        np.testing.assert_allclose(found, expected, atol=1e-5)
