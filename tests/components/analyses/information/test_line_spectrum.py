"""Cosine spectra against scipy and functions in closed form."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.fft import dct

from gendsl_runtime.analyses.information.line_spectrum import cosines, line_spectrum
from gendsl_runtime.models.linear import linear
from gendsl_runtime.problem import Problem
from gendsl_runtime.random import generator


def test_the_transform_is_the_one_of_scipy():
    values = np.random.default_rng(0).standard_normal((3, 2, 50))
    np.testing.assert_allclose(cosines(values), dct(values, norm="ortho") / np.sqrt(50), atol=1e-14)
    np.testing.assert_allclose(np.square(cosines(values)).sum(-1), np.square(values).mean(-1))


def test_every_figure_of_a_network(make_runs):
    runs = make_runs(hidden=[8], test=40)
    given = line_spectrum(runs, lines=7, points=32)
    for member in range(3):
        chance = generator("line_spectrum", member)
        inputs, powers = runs.split("test")[0][member].numpy(), []
        for _ in range(7):
            a, b = inputs[chance.choice(40, size=2, replace=False)]
            share = ((np.arange(32) + 0.5) / 32).astype(np.float32)[:, None]
            line = (1 - share) * a + share * b
            outputs = runs.select([member]).outputs(runs.split("test")[0].new_tensor(line)[None])[0].numpy()
            powers.append(np.square(dct(outputs.astype(float), norm="ortho")).sum(0)[1:] / 32)
        powers = np.array(powers)
        np.testing.assert_allclose(given["power"][member], powers.sum(0) / powers.sum(), atol=1e-6)
        mean = (powers @ np.arange(1, 32)).sum() / powers.sum()
        assert given["mean_frequency"][member] == pytest.approx(mean, rel=1e-4)
        assert given["total"][member] == pytest.approx(powers.sum(1).mean(), rel=1e-4)


def test_a_linear_function(make_runs):
    """Powers of a straight line are `1 / k^4` at odd k: 96 / pi^4 of it at k = 1."""
    given = line_spectrum(make_runs(network=linear((3,), 3)), points=256)
    np.testing.assert_allclose(given["power"][:, 0], 96 / np.pi**4, rtol=1e-4)
    assert (given["power"][:, 1::2] < 1e-9).all()


def test_what_changes_nothing_and_what_does(make_runs):
    runs = make_runs(hidden=[30])
    before = line_spectrum(runs)["mean_frequency"]
    runs.state.parameters["output.weight"].mul_(4)
    runs.state.parameters["output.bias"].add_(1)
    np.testing.assert_allclose(line_spectrum(runs)["mean_frequency"], before, rtol=1e-4)
    runs.state.parameters["hidden.0.weight"].mul_(10)
    assert (line_spectrum(runs)["mean_frequency"] > before + 0.1).all()


def test_constants_and_single_examples(make_runs):
    runs = make_runs()
    runs.state.parameters["output.weight"].zero_()
    given = line_spectrum(runs)
    assert (given["mean_frequency"] == 0).all()
    assert np.isnan(given["power"]).all()
    with pytest.raises(Problem, match="there is only one"):
        line_spectrum(make_runs(test=1))
