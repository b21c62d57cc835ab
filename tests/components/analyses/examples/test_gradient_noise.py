"""Noise scale and coherence against explicit gradients and a distribution whose noise is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gendsl_runtime.analyses.examples.gradient_noise import gradient_noise
from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.measures.gradients import products, total
from gendsl_runtime.measures.vectors import flat
from gendsl_runtime.models.cnn import cnn
from gendsl_runtime.models.linear import linear
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Runs
from tests.components.analyses.examples.explicit import gradients, images


def test_every_figure_from_explicit_gradients(make_runs):
    runs = make_runs(dtype=torch.float64)
    given = gradient_noise(runs)
    for member in range(3):
        rows = gradients(runs, member).numpy()
        n, products = len(rows), rows @ rows.T
        signal = products[~np.eye(n, dtype=bool)].mean()
        trace = np.trace(np.cov(rows.T))
        assert float(given["signal"][member]) == pytest.approx(signal, rel=1e-9)
        assert float(given["trace"][member]) == pytest.approx(trace, rel=1e-9)
        scale = trace / signal if signal > 0 else np.inf
        assert float(given["noise_scale"][member]) == pytest.approx(scale, rel=1e-9)
        mean = np.diagonal(products).mean()
        assert float(given["coherence"][member]) == pytest.approx(signal / mean, rel=1e-9)
        assert float(given["m_coherence"][member]) == pytest.approx(n * products.mean() / mean, rel=1e-9)


def test_convolutions_in_pieces():
    runs = images(cnn((1, 8, 8), 3, channels=(2, 3), hidden=(5,), norm="batch"), 70)
    rows = gradients(runs, 1)
    given = gradient_noise(runs)
    whole = total(runs.select([1]), on="train")
    np.testing.assert_allclose(flat(whole)[0], rows.sum(0), rtol=1e-9, atol=1e-12)
    (found,) = products(runs.select([1]), whole, on="train")
    np.testing.assert_allclose(found, rows @ rows.sum(0), rtol=1e-8, atol=1e-10)
    assert float(given["trace"][1]) == pytest.approx(np.trace(np.cov(rows.numpy().T)), rel=1e-9)


def test_the_jackknife_is_the_one_with_examples_left_out():
    runs = gaussian(60, 0)
    split, given, without = runs.data[0].split("train"), gradient_noise(runs), []
    for place in range(60):
        data = runs.data[0].with_splits(train=split.take(np.delete(np.arange(60), place)))
        without.append(gradient_noise(Runs(runs.network, runs.state, (data,), (0,), runs.loss)))
    for name in ("signal", "coherence", "noise_scale"):
        values = np.array([float(one[name][0]) for one in without])
        expected = np.sqrt(59 / 60 * np.square(values - values.mean()).sum())
        assert float(given[f"{name}_error"][0]) == pytest.approx(expected, rel=1e-7)


def gaussian(samples, seed):
    """A linear function with the loss `<w, x>`: the gradient of an example is its input, N(mean, diag)."""
    chance = np.random.default_rng(seed)
    inputs = np.array([1.0, 0.5]) + chance.standard_normal((samples, 2)) * np.array([2.0, 1.0])
    split = Split(torch.from_numpy(inputs), torch.zeros(samples, dtype=torch.int64))
    data = Dataset({"train": split}, "classification", (2,), 1)
    network = linear((2,), 1, bias=False)
    return Runs(network, network.init((0,)).to("cpu", torch.float64), (data,), (0,), lambda f, y: f[:, 0])


def test_estimates_of_a_known_distribution_are_unbiased():
    """|G|^2 = 1.25 and tr S = 5."""
    found = [gradient_noise(gaussian(10, seed)) for seed in range(300)]
    for name, truth in (("signal", 1.25), ("trace", 5.0)):
        values = np.array([float(one[name][0]) for one in found])
        assert abs(values.mean() - truth) < 4 * values.std() / np.sqrt(300)
    many = gradient_noise(gaussian(20_000, 1))
    assert abs(many["noise_scale"][0] - 4) < 4 * many["noise_scale_error"][0]


def test_where_all_gradients_are_equal_or_zero():
    runs = gaussian(6, 0)
    runs.data[0].split("train").inputs.copy_(torch.tensor([1.0, 2.0]))
    given = gradient_noise(runs)
    assert float(given["noise_scale"][0]) == 0
    assert float(given["sample_coherence"][0]) == pytest.approx(1, rel=1e-14)
    assert float(given["m_coherence"][0]) == pytest.approx(6, rel=1e-14)
    runs = gaussian(6, 0)
    runs.data[0].split("train").inputs.zero_()
    given = gradient_noise(runs)
    assert all(float(values[0]) == 0 for values in given.values())


def test_one_example_is_refused(make_runs):
    with pytest.raises(Problem, match="a single example"):
        gradient_noise(make_runs(train=1))
