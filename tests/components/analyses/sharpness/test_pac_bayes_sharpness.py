"""PAC-Bayes sharpness against closed forms and against its definition."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import norm

from gendsl_runtime.analyses.sharpness.pac_bayes_sharpness import pac_bayes_sharpness
from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.models.linear import linear
from gendsl_runtime.network import State
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Runs
from tests.components.analyses.quadratics import quadratic

SCALES, WEIGHTS = [1.0, 2.0, 0.5, 1.5], [1.2, 0.7, 2.0, -1.0]


@pytest.mark.parametrize("scale", ["plain", "magnitude"])
def test_the_sigma_of_a_quadratic(scale):
    """E rise = sum scale_j^2 (sigma^2 w_j^2 + floor^2), or sigma^2 sum scale_j^2."""
    runs = quadratic(SCALES, weights=WEIGHTS, seeds=(0, 1, 2))
    given = pac_bayes_sharpness(runs, scale=scale, floor=0.05, samples=4000, tolerance=1e-3)
    squares, sizes = np.square(SCALES), np.square(WEIGHTS)
    if scale == "plain":
        sigma = (0.1 / squares.sum()) ** 0.5
    else:
        sigma = ((0.1 - 0.05**2 * squares.sum()) / (squares @ sizes)) ** 0.5
    # The rise at the sigma found errs by its standard error, which moves sigma by half of that, relative.
    bound = 4 * given["rise_error"] / (2 * 0.1) * (2 if scale == "magnitude" else 1) + 1e-3
    assert (abs(given["sigma"] / sigma - 1) < bound).all()
    np.testing.assert_allclose(given["sharpness"], given["sigma"] ** -2.0)
    np.testing.assert_allclose(given["rise"], 0.1, rtol=3e-3)
    assert given["open"].tolist() == [0, 0, 0]
    assert given["dimension"].tolist() == [4, 4, 4]


def test_the_error_of_a_linear_classifier_has_a_closed_form():
    """Two classes, x = (1), logits (w, 0): wrong where w + u < u', so P(wrong) = Phi(-w / (sigma sqrt 2))."""
    data = Dataset(
        {"train": Split(torch.ones(1, 1).double(), torch.zeros(1, dtype=torch.int64))},
        "classification",
        (1,),
        2,
    )
    weight = torch.tensor([[[1.0], [0.0]]]).double()
    runs = Runs(
        linear((1,), 2, bias=False),
        State({"output.weight": weight}, {}),
        (data,),
        (0,),
        lambda outputs, targets: torch.nn.functional.cross_entropy(outputs, targets, reduction="none"),
    )
    given = pac_bayes_sharpness(runs, samples=3000, tolerance=1e-3)
    sigma = 1 / (-norm.ppf(0.1) * 2**0.5)
    # d P / d log sigma = z phi(z), z = 1.28: four standard errors of a share of 0.1 over 3000 draws.
    z = -norm.ppf(0.1)
    bound = 4 * (0.1 * 0.9 / 3000) ** 0.5 / (z * norm.pdf(z)) + 1e-3
    assert abs(float(given["sigma"][0]) / sigma - 1) < bound


def test_magnitudes_without_a_floor_are_blind_to_rescaling(make_runs):
    runs = make_runs(seeds=(0,), dtype=torch.float64, activation="relu")
    parameters = {name: value.clone() for name, value in runs.state.parameters.items()}
    parameters["hidden.0.weight"] *= 8
    parameters["hidden.0.bias"] *= 8
    parameters["output.weight"] /= 8
    other = replace(runs, state=State(parameters, {}))
    options = {"of": "loss", "tolerance": 1e-4, "samples": 8}
    same = [
        pac_bayes_sharpness(one, scale="magnitude", floor=0.0, **options)["sigma"] for one in (runs, other)
    ]
    np.testing.assert_allclose(same[1], same[0], rtol=1e-6)
    differ = [pac_bayes_sharpness(one, **options)["sigma"] for one in (runs, other)]
    assert abs(differ[1] / differ[0] - 1) > 0.2


def test_a_level_that_is_never_reached_is_open(make_runs):
    given = pac_bayes_sharpness(make_runs(), cutoff=1.5, samples=4)
    assert given["open"].tolist() == [1, 1, 1]
    assert (given["rise"] <= 1).all()


def test_a_floor_above_the_cutoff_leaves_no_sigma():
    given = pac_bayes_sharpness(quadratic(SCALES), scale="magnitude", floor=3.0)
    assert given["sigma"].tolist() == [0.0]
    assert given["sharpness"].tolist() == [np.inf]


def test_regressions_have_no_error():
    with pytest.raises(Problem, match="regression"):
        pac_bayes_sharpness(quadratic(SCALES), of="error")
