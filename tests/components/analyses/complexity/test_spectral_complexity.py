"""Spectral complexity against the formula written out."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gendsl_runtime.analyses.complexity.margins import margins
from gendsl_runtime.analyses.complexity.spectral_complexity import spectral_complexity
from gendsl_runtime.measures.norms import maps
from gendsl_runtime.models.cnn import cnn
from gendsl_runtime.problem import Problem
from tests.components.analyses.complexity.test_operator_norms import dense
from tests.components.analyses.examples.explicit import images


def formula(matrices):
    norms = [np.linalg.norm(a, 2) for a in matrices]
    lengths = [np.linalg.norm(a.T, axis=0).sum() for a in matrices]
    ratio = sum((b / s) ** (2 / 3) for b, s in zip(lengths, norms)) ** 1.5
    return np.prod(norms), ratio


def test_dense_networks_by_hand(make_runs):
    runs = make_runs(hidden=[6, 4], activation="relu")
    given, plain = spectral_complexity(runs), margins(runs)["margin"].numpy()
    for member in range(3):
        names = ("hidden.0.weight", "hidden.1.weight", "output.weight")
        product, ratio = formula([runs.state.parameters[name][member].double().numpy() for name in names])
        assert given["lipschitz"][member] == pytest.approx(product, rel=1e-12)
        assert given["ratio"][member] == pytest.approx(ratio, rel=1e-12)
        size = np.linalg.norm(runs.split("train")[0][member].double().numpy())
        expected = plain[member] * 30 / (product * ratio * size)
        np.testing.assert_allclose(given["normalised_margin"][member], expected, rtol=1e-12)


def test_convolutions_as_matrices():
    runs = images(cnn((1, 8, 8), 3, channels=(2, 3), hidden=(5,)))
    given = spectral_complexity(runs)
    for member, own in enumerate(maps(runs)):
        product, ratio = formula([dense(one).numpy() if one.sides else one.kernel.numpy() for one in own])
        assert given["complexity"][member] == pytest.approx(product * ratio, rel=1e-8)


def test_scales_that_do_not_matter(make_runs):
    runs = make_runs(hidden=[6], activation="relu", bias=False)
    before = spectral_complexity(runs)
    runs.state.parameters["hidden.0.weight"].mul_(8)
    after = spectral_complexity(runs)
    np.testing.assert_allclose(after["normalised_margin"], before["normalised_margin"], rtol=1e-6)
    runs.state.parameters["output.weight"].div_(8)
    np.testing.assert_allclose(spectral_complexity(runs)["complexity"], before["complexity"], rtol=1e-12)


def test_what_has_no_complexity(make_runs):
    for more in ({"hidden": [5, 5], "skip": True}, {"norm": "layer"}):
        with pytest.raises(Problem, match="layers that follow one another"):
            spectral_complexity(make_runs(**more))
    runs = make_runs(dtype=torch.float64)
    runs.state.parameters["output.weight"].zero_()
    runs.state.parameters["output.bias"].zero_()
    given = spectral_complexity(runs)
    assert (given["complexity"] == 0).all()
    assert (given["normalised_margin"] == 0).all()
