"""Corruptions against scipy and what their noise must be."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from gendsl_runtime.analyses.prediction.accuracy import accuracy
from gendsl_runtime.analyses.robustness.corruption import corruption
from gendsl_runtime.measures.corrupt import CORRUPTIONS, corrupted
from gendsl_runtime.models.linear import linear
from gendsl_runtime.problem import Problem

IMAGES = torch.from_numpy(np.random.default_rng(0).random((50, 2, 9, 7)))


def chance() -> np.random.Generator:
    return np.random.default_rng(1)


@pytest.mark.parametrize("kind", CORRUPTIONS)
def test_severity_zero_changes_nothing(make_runs, kind):
    assert torch.equal(corrupted(IMAGES, kind, 0.0, chance()), IMAGES)


def test_blur_is_that_of_scipy():
    blurred = corrupted(IMAGES, "blur", 0.8, chance()).numpy()
    expected = gaussian_filter(IMAGES.numpy(), (0, 0, 0.8, 0.8), radius=(0, 0, 3, 3), mode="nearest")
    np.testing.assert_allclose(blurred, expected, atol=1e-12)


def test_noise_has_its_standard_deviation():
    count = IMAGES.numel()
    gaussian = (corrupted(IMAGES, "gaussian", 0.5, chance()) - IMAGES).numpy()
    assert gaussian.std() == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(2 * count))
    uniform = (corrupted(IMAGES, "uniform", 0.5, chance()) - IMAGES).numpy()
    assert np.abs(uniform).max() <= 0.5
    assert uniform.std() == pytest.approx(0.5 / np.sqrt(3), abs=4 * 0.5 / np.sqrt(3 * count))
    salted = (corrupted(IMAGES, "salt_pepper", 0.3, chance()) != IMAGES).double().mean()
    assert float(salted) == pytest.approx(0.3, abs=4 * np.sqrt(0.3 * 0.7 / count))


def test_occlusion_covers_a_square_and_contrast_keeps_the_mean():
    covered = (corrupted(IMAGES, "occlusion", 0.25, chance()) != IMAGES)[:, 0].sum((1, 2))
    assert set(covered.tolist()) == {16}  # round(sqrt(63 / 4)) = 4
    pale = corrupted(IMAGES, "contrast", 0.75, chance())
    torch.testing.assert_close(pale.flatten(1).mean(1), IMAGES.flatten(1).mean(1))
    torch.testing.assert_close(pale.flatten(1).std(1), IMAGES.flatten(1).std(1) / 4)


def test_gaussian_noise_on_a_linear_classifier_has_a_closed_form(make_runs):
    """P(right) = Phi(margin / (severity |w_0 - w_1|))."""
    from scipy.stats import norm

    runs = make_runs(network=linear((3,), 2), classes=2, test=4000, seeds=(0,), dtype=torch.float64)
    found = float(corruption(runs, severity=[0.7])["accuracy"][0, 0])
    weight = runs.state.parameters["output.weight"][0]
    outputs, targets = runs.outputs(runs.split("test")[0])[0], runs.split("test")[1][0]
    lead = (outputs[0] - outputs[1]) * torch.where(targets == 0, 1.0, -1.0)
    right = norm.cdf((lead / (0.7 * (weight[0] - weight[1]).norm())).numpy())
    assert found == pytest.approx(right.mean(), abs=4 * np.sqrt((right * (1 - right)).mean() / 4000))


def test_clean_accuracy_and_refusals(make_runs):
    runs = make_runs(test=530)
    np.testing.assert_array_equal(
        corruption(runs, severity=[0.0])["accuracy"][:, 0], accuracy(runs, on="test")["accuracy"]
    )
    with pytest.raises(Problem, match="images"):
        corruption(runs, kind="blur")
    with pytest.raises(Problem, match="shares"):
        corruption(runs, kind="salt_pepper", severity=[2.0])
