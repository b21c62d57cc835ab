"""Noisy curves: the function, its noise, and how splits grow."""

from __future__ import annotations

import numpy as np
import torch

from gendsl_runtime.datasets.curve import curve


def test_a_curve_has_its_function_and_noise() -> None:
    """Residuals of 20,000 test points have mean 0 and deviation 0.2, within 5 standard errors."""
    data = curve(train=5, test=20_000, seed=2)
    x, y = (value[:, 0].double() for value in (data.split("test").inputs, data.split("test").targets))
    left = y - (torch.sin(4 * x) + 0.5 * torch.cos(9 * x))
    assert abs(left.mean()) < 5 * 0.2 / 20_000**0.5
    assert abs(left.std() - 0.2) < 5 * 0.2 / 40_000**0.5
    larger = curve(train=9, seed=2).split("train")
    assert torch.equal(larger.inputs[:5], data.split("train").inputs)


def test_legendre_is_the_sum_it_says() -> None:
    """Without noise the points lie on a polynomial of that degree, found by numpy to float32; its coefficients have
    mean 0 and variance 1 / (degree + 1), over 400 seeds within 5 standard errors."""
    data = curve(train=60, noise=0, function="legendre", degree=5, seed=3)
    x, y = (
        value[:, 0].double().numpy() for value in (data.split("train").inputs, data.split("train").targets)
    )
    found = np.linalg.lstsq(np.polynomial.legendre.legvander(x, 8), y, rcond=None)[0]
    np.testing.assert_allclose(found[6:], 0, atol=1e-5)
    assert (np.abs(found[:6]) > 1e-3).all()
    drawn = []
    for seed in range(400):
        split = curve(train=6, noise=0, function="legendre", degree=2, seed=seed).split("train")
        x, y = (value[:, 0].double().numpy() for value in (split.inputs, split.targets))
        drawn.append(np.linalg.lstsq(np.polynomial.legendre.legvander(x, 2), y, rcond=None)[0])
    drawn = np.array(drawn)
    assert (np.abs(drawn.mean(0)) < 5 * (1 / 3 / 400) ** 0.5).all()
    assert (np.abs(drawn.var(0) - 1 / 3) < 5 / 3 * (2 / 400) ** 0.5).all()


def test_splits_and_seeds_are_apart() -> None:
    data = curve(train=40, held_back=40, test=40, seed=1)
    for one, other in (("train", "held_back"), ("train", "test"), ("held_back", "test")):
        assert not set(data.split(one).inputs.flatten().tolist()) & set(
            data.split(other).inputs.flatten().tolist()
        )
    assert not torch.equal(curve(seed=2).split("train").inputs, data.split("train").inputs)
