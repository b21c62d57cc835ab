"""Sharpness of SAM and ASAM against the formulas, written out, and against exact maxima."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.optimize import brentq

from gendsl_runtime.analyses.sharpness.sam_sharpness import sam_sharpness
from gendsl_runtime.network import State
from gendsl_runtime.runs import Runs
from tests.components.analyses.dense_matrices import dense_gradient, functions
from tests.components.analyses.quadratics import quadratic


def losses_at(runs: Runs, member: int, offset: np.ndarray) -> float:
    vector, outputs, losses = functions(runs, member, "train")
    return float(losses(outputs(vector + torch.from_numpy(offset))).mean())


@pytest.mark.parametrize("norm", ["l2", "linf"])
@pytest.mark.parametrize("adaptive", ["none", "elementwise", "filter"])
def test_one_step_by_the_formulas(make_runs, norm, adaptive):
    runs = make_runs(seeds=(0, 1), train=540, dtype=torch.float64)
    given = sam_sharpness(runs, radius=0.3, norm=norm, adaptive=adaptive, eta=0.02)
    for member in range(2):
        slope = dense_gradient(runs, member)
        own = {name: value[member] for name, value in runs.state.parameters.items()}
        size = {name: value.abs() for name, value in own.items()}
        if adaptive == "filter":
            size |= {
                name: value.norm(dim=1, keepdim=True).expand_as(value)
                for name, value in own.items()
                if value.ndim == 2
            }
        scale = np.concatenate([value.flatten().numpy() for value in size.values()]) + 0.02
        scale = np.ones_like(slope) if adaptive == "none" else scale
        rise = scale * slope
        step = np.sign(rise) if norm == "linf" else rise / np.linalg.norm(rise)
        expected = losses_at(runs, member, 0.3 * scale * step)
        assert float(given["highest_loss"][member]) == pytest.approx(expected, rel=1e-12)
        assert float(given["loss"][member]) == pytest.approx(
            losses_at(runs, member, np.zeros_like(slope)), rel=1e-12
        )
    np.testing.assert_allclose(given["sharpness"], given["highest_loss"] - given["loss"], rtol=1e-12)


def exact_rise(scales: list[float], weights: list[float], radius: float) -> float:
    """The largest rise of the quadratic in a ball: e = (lambda - H)^-1 g with |e| = radius and lambda > max H."""
    curvature = 2 * np.square(scales)
    slope = curvature * (np.array(weights) - 1)

    def excess(shift: float) -> float:
        return float(np.linalg.norm(slope / (shift - curvature)) - radius)

    top = curvature.max()
    shift = brentq(excess, top * (1 + 1e-12), top + np.linalg.norm(slope) / radius + 1)
    step = slope / (shift - curvature)
    return float(slope @ step + curvature @ step**2 / 2)


def test_many_steps_reach_the_exact_maximum_of_a_quadratic_from_below():
    scales, weights = [1.0, 2.0, 0.5], [1.3, 0.9, 2.0]
    runs = quadratic(scales, weights=weights)
    exact = exact_rise(scales, weights, 0.7)
    found = [float(sam_sharpness(runs, radius=0.7, steps=steps)["sharpness"]) for steps in (1, 5, 200)]
    assert found[0] < found[1] <= found[2] <= exact * (1 + 1e-12)
    assert found[2] == pytest.approx(exact, rel=5e-3)


def test_batches_have_rises_of_their_own(make_runs):
    runs = make_runs(seeds=(0,), train=25, dtype=torch.float64)
    given = sam_sharpness(runs, radius=0.2, batch=10)
    inputs, targets = (value[0] for value in runs.split("train"))
    total = 0.0
    for part in (slice(0, 10), slice(10, 20), slice(20, 25)):
        data = replace(
            runs.data[0],
            splits={
                "train": replace(runs.data[0].splits["train"], inputs=inputs[part], targets=targets[part])
            },
        )
        one = float(sam_sharpness(replace(runs, data=(data,)), radius=0.2)["sharpness"])
        total += one * (part.stop - part.start) / 25
    assert float(given["sharpness"]) == pytest.approx(total, rel=1e-12)
    # Each batch climbs for itself, so the mean of rises is above the rise of the mean.
    assert float(given["sharpness"]) > float(sam_sharpness(runs, radius=0.2)["sharpness"])


def rescaled(runs: Runs, factor: float) -> Runs:
    """The same function of a relu network: one layer multiplied, the next divided."""
    parameters = {name: value.clone() for name, value in runs.state.parameters.items()}
    parameters["hidden.0.weight"] *= factor
    parameters["hidden.0.bias"] *= factor
    parameters["output.weight"] /= factor
    return replace(runs, state=State(parameters, {}))


def test_asam_is_blind_to_rescaling_and_sam_is_not(make_runs):
    runs = make_runs(dtype=torch.float64, activation="relu")
    options = {"radius": 0.5, "adaptive": "elementwise", "eta": 0.0}
    before, after = (sam_sharpness(one, **options)["sharpness"] for one in (runs, rescaled(runs, 4.0)))
    np.testing.assert_allclose(after, before, rtol=1e-10)
    before, after = (sam_sharpness(one)["sharpness"] for one in (runs, rescaled(runs, 4.0)))
    assert (abs(after / before - 1) > 0.1).all()


def test_without_a_gradient_there_is_no_step():
    given = sam_sharpness(quadratic([1.0, 2.0]))
    assert given["sharpness"].tolist() == [0.0]


def test_single_precision_agrees(make_runs):
    single, double = (
        sam_sharpness(make_runs(train=600, dtype=kind)) for kind in (torch.float32, torch.float64)
    )
    np.testing.assert_allclose(single["sharpness"], double["sharpness"], rtol=1e-3)
