"""TwoNN on sets of known dimension, and against a brute-force fit."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist
from torch import Tensor

from gendsl_runtime.analyses.representations.twonn import _dimension, twonn
from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.measures.neighbours import nearest
from gendsl_runtime.models.transformer import transformer
from gendsl_runtime.runs import Runs


def manifold(dimension: int, size: int, *, width: int = 12, seed: int = 0) -> Tensor:
    """Evenly sampled flat torus, turned at random into a larger space, `(width, N)`."""
    stream = np.random.default_rng(seed)
    angles = stream.uniform(0, 2 * np.pi, (dimension, size))
    flat = np.concatenate([np.cos(angles), np.sin(angles)])
    turn, _ = np.linalg.qr(stream.standard_normal((width, width)))
    return torch.from_numpy(turn[:, : 2 * dimension] @ flat)


@pytest.mark.parametrize("dimension", [1, 2, 4])
@pytest.mark.parametrize("estimator", ["fit", "likelihood"])
def test_tori_have_their_dimension(dimension: int, estimator: str) -> None:
    """Within four standard errors, and d^1.5 percent for the curvature that 1,000 examples see (r^2 / 24 a circle)."""
    found, error, used = _dimension(manifold(dimension, 1000), estimator, 0.1)
    assert abs(found - dimension) < 4 * error + 0.01 * dimension**1.5
    assert used == 1000
    assert error == pytest.approx(found / np.sqrt(900 if estimator == "fit" else 1000))


def test_is_the_slope_of_the_paper() -> None:
    x = manifold(2, 200)
    apart = np.sort(cdist(x.T, x.T), axis=1)
    ratio = np.sort(apart[:, 2] / apart[:, 1])[:180]
    level = -np.log(1 - np.arange(1, 181) / 200)
    slope = np.linalg.lstsq(np.log(ratio)[:, None], level, rcond=None)[0][0]
    assert _dimension(x, "fit", 0.1)[0] == pytest.approx(slope, rel=1e-9)
    np.testing.assert_allclose(nearest(x, 4), apart[:, 1:5], rtol=1e-9)


def test_turns_and_factors_leave_it_alone_and_noise_does_not() -> None:
    x = manifold(1, 500)
    turn = torch.linalg.qr(
        torch.randn(12, 12, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    )[0]
    assert _dimension(7 * turn @ x + 3, "fit", 0.1)[0] == pytest.approx(
        _dimension(x, "fit", 0.1)[0], rel=1e-6
    )
    noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    assert _dimension(x + noise, "fit", 0.1)[0] > 3


def test_twins_are_left_out() -> None:
    x = manifold(1, 60)
    x[:, 1] = x[:, 0]
    assert _dimension(x, "likelihood", 0.0)[2] == 58
    assert np.isnan(_dimension(torch.zeros(3, 10, dtype=torch.float64), "fit", 0.1)[0])


def test_the_examples_themselves_come_first(make_runs: Callable[..., Runs]) -> None:
    runs = make_runs(test=300, features=3, hidden=[50])
    found = twonn(runs, estimator="likelihood")
    assert np.asarray(found["layer"]).tolist() == ["inputs", "hidden.0", "output"]
    inputs = np.asarray(found["twonn"])[:, 0]
    np.testing.assert_allclose(inputs, 3, atol=4 * 3 / np.sqrt(300) + 0.3)


def test_a_layer_called_input_is_another_thing() -> None:
    """A transformer on steps of numbers begins with one."""
    network = transformer((4, 3), 3, width=4, heads=2, layers=1)
    chance = torch.Generator().manual_seed(0)
    split = Split(torch.randn(30, 4, 3, generator=chance), torch.arange(30) % 3)
    data = Dataset({"test": split}, "classification", (4, 3), 3)
    runs = Runs(network, network.init((0,)), (data,), (0,), lambda outputs, targets: outputs)
    assert np.asarray(twonn(runs)["layer"]).tolist() == ["inputs", "input", "block.0", "output"]
