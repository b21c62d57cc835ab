"""Saliency against torch.func and the closed form of a linear network."""

from __future__ import annotations

import numpy as np
import torch

from gendsl_runtime.analyses.attribution.saliency import saliency
from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.losses.cross_entropy import cross_entropy
from gendsl_runtime.models.cnn import cnn
from gendsl_runtime.models.linear import linear
from gendsl_runtime.runs import Runs


def test_slopes_of_the_label_against_torch_func(make_runs):
    runs = make_runs(seeds=(0, 2), dtype=torch.float64, test=6)
    inputs, targets = runs.split("test")
    forms = {form: saliency(runs, form=form)["attribution"] for form in ("signed", "absolute", "times_input")}
    for member in range(2):
        one = runs.select([member])
        for example in range(6):
            x, label = inputs[member, example], int(targets[member, example])
            slope = torch.func.grad(lambda v, o=one, c=label: o.outputs(v[None, None])[0, c, 0])(x)
            torch.testing.assert_close(forms["signed"][member, example, 0], slope)
            torch.testing.assert_close(forms["absolute"][member, example, 0], slope.abs())
            torch.testing.assert_close(forms["times_input"][member, example, 0], slope * x)


def test_noise_does_nothing_to_a_linear_network(make_runs):
    runs = make_runs(network=linear((3,), 3), dtype=torch.float64)
    plain, smooth = (saliency(runs, noise=noise)["attribution"] for noise in (0.0, 0.2))
    torch.testing.assert_close(plain, smooth)


def test_noise_is_the_mean_of_slopes_in_the_neighbourhood(make_runs):
    """`F = sum_j v_j (W x)_j^2`: slopes are linear in x, so their mean is that at x, up to noise."""
    runs = make_runs(activation="quadratic", seeds=(1,), dtype=torch.float64, test=10)
    few, many = (saliency(runs, form="signed", noise=0.1, samples=n)["attribution"] for n in (20, 2000))
    plain = saliency(runs, form="signed")["attribution"]
    ratio = float((many - plain).abs().mean() / (few - plain).abs().mean())
    assert 0.05 < ratio < 0.2  # the square root of 20 / 2000 is 0.1


def test_channels_of_an_image_are_one_picture():
    chance = np.random.default_rng(0)
    inputs = torch.from_numpy(chance.standard_normal((9, 3, 6, 6), dtype=np.float32))
    split = Split(inputs, torch.from_numpy(chance.integers(0, 3, 9)))
    network = cnn((3, 6, 6), 3, channels=[2])
    data = Dataset({"train": split, "test": split}, "classification", (3, 6, 6), 3)
    runs = Runs(network, network.init((0, 1)), (data, data), (0, 1), cross_entropy)
    leaf = inputs[None].expand(2, -1, -1, -1, -1).clone().requires_grad_()
    place = split.targets.expand(2, 9).unsqueeze(1)
    runs.outputs(leaf).gather(1, place).sum().backward()
    slopes = leaf.grad
    assert slopes is not None
    torch.testing.assert_close(saliency(runs)["attribution"].float(), slopes.abs().amax(2))
    torch.testing.assert_close(saliency(runs, form="signed")["attribution"].float(), slopes.sum(2))
