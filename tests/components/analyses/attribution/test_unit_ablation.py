"""Ablation against networks whose units are cut by hand."""

from __future__ import annotations

import numpy as np
import torch

from gendsl_runtime.analyses.attribution.unit_ablation import unit_ablation
from gendsl_runtime.analyses.prediction.accuracy import accuracy
from gendsl_runtime.measures.layers import hidden


def test_ends_of_the_curve(make_runs):
    runs = make_runs(test=530, hidden=[7, 5])
    found = unit_ablation(runs, points=5, orders=3)
    np.testing.assert_allclose(found["accuracy"][:, 0], accuracy(runs, on="test")["accuracy"], atol=1e-15)
    # Nothing is left but the offset of the last layer.
    constant = runs.state.parameters["output.bias"].argmax(1)
    share = (runs.split("test")[1] == constant[:, None]).double().mean(1)
    np.testing.assert_allclose(found["accuracy"][:, -1], share)
    np.testing.assert_allclose(found["ablated"], [0, 0.2, 0.4, 0.6, 0.8, 1])
    np.testing.assert_allclose(found["area"], np.trapezoid(found["accuracy"], found["ablated"], axis=1))


def test_each_unit_is_the_network_without_its_weights(make_runs):
    runs = make_runs(test=200, hidden=[7, 5])
    found = unit_ablation(runs, layer="hidden.0", points=2, orders=1)["importance"]
    weight = runs.state.parameters["hidden.1.weight"]
    whole = accuracy(runs, on="test")["accuracy"]
    for unit in range(7):
        kept = weight[:, :, unit].clone()
        weight[:, :, unit] = 0
        np.testing.assert_allclose(found[:, unit], whole - accuracy(runs, on="test")["accuracy"], atol=1e-15)
        weight[:, :, unit] = kept


def test_units_at_their_mean(make_runs):
    runs = make_runs(test=100, hidden=[4], seeds=(0,), dtype=torch.float64)
    found = unit_ablation(runs, to="mean", points=2, orders=1)["importance"][0]
    values = hidden(runs, runs.split("test")[0])["hidden.0"][0]
    weight, bias = (runs.state.parameters[f"output.{part}"][0] for part in ("weight", "bias"))
    targets = runs.split("test")[1][0]

    def right(h: torch.Tensor) -> float:
        return float(((weight @ h + bias[:, None]).argmax(0) == targets).double().mean())

    for unit in range(4):
        held = values.clone()
        held[unit] = values[unit].mean()
        assert found[unit] == right(values) - right(held)
