"""Resized images against Pillow, and planes, which linear interpolation keeps."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.datasets.mazes import mazes
from gendsl_runtime.datasets.resized import resized
from gendsl_runtime.datasets.sklearn_digits import sklearn_digits
from gendsl_runtime.datasets.two_moons import two_moons
from gendsl_runtime.problem import Problem


@pytest.mark.parametrize("side", [5, 8, 14, 31])
def test_as_pillow_does_it(side):
    digits = sklearn_digits(train=20, test=10)
    for name in ("train", "test"):
        found = resized(digits, side=side).split(name)
        assert found.targets.equal(digits.split(name).targets)
        for new, old in zip(found.inputs, digits.split(name).inputs, strict=True):
            picture = Image.fromarray(old[0].numpy(), mode="F")
            expected = np.asarray(picture.resize((side, side), Image.Resampling.BILINEAR))
            # Weights that sum to 1, rounded to float32 in both passes.
            np.testing.assert_allclose(new[0], expected, rtol=0, atol=1e-6)


def test_a_plane_stays_one_within_the_outermost_centres():
    def plane(side: int) -> torch.Tensor:
        centres = (torch.arange(side) + 0.5) / side
        return 0.25 + 0.5 * centres[:, None] - 0.25 * centres

    image = torch.stack([plane(8), 1 - plane(8)])[None]
    split = Split(image, torch.zeros(1, dtype=torch.int64))
    found = resized(Dataset({"train": split}, "classification", (2, 8, 8), 2), side=16)
    assert found.shape == (2, 16, 16)
    inside = found.split("train").inputs[0][:, 1:-1, 1:-1]
    expected = torch.stack([plane(16), 1 - plane(16)])[:, 1:-1, 1:-1]
    torch.testing.assert_close(inside, expected, rtol=0, atol=2**-22)


def test_a_margin_is_zero_and_the_rest_is_the_image():
    digits = sklearn_digits(train=20, test=0)
    framed, inner = resized(digits, side=14, margin=3), resized(digits, side=8)
    pixels = framed.split("train").inputs
    assert pixels[:, :, 3:-3, 3:-3].equal(inner.split("train").inputs)
    assert inner.split("train").inputs.equal(digits.split("train").inputs)
    pixels[:, :, 3:-3, 3:-3] = 0
    assert not pixels.any()


def test_what_cannot_be_resized_is_said():
    with pytest.raises(Problem, match="takes images"):
        resized(two_moons(), side=4)
    with pytest.raises(Problem, match="leaves nothing"):
        resized(sklearn_digits(), side=4, margin=2)


def test_labels_of_places_would_not_follow():
    with pytest.raises(Problem, match="labels of this labelling are about places"):
        resized(mazes(side=5, train=2, test=0), side=9)
