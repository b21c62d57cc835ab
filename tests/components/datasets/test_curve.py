"""Noisy curves: the function, its noise, and how splits grow."""

from __future__ import annotations

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
