"""Conductance: completeness, closed forms, and integrated gradients through one unit."""

from __future__ import annotations

import pytest
import torch

from gendsl_runtime.analyses.attribution.conductance import conductance
from gendsl_runtime.analyses.attribution.integrated_gradients import integrated_gradients
from gendsl_runtime.measures.attributions import Halves
from gendsl_runtime.measures.layers import hidden
from gendsl_runtime.problem import Problem


def test_the_last_hidden_layer_gets_weight_times_rise(make_runs):
    """The rest is linear: C_j = v_j (h_j(x) - h_j(0)), whatever the steps."""
    runs = make_runs(hidden=[6, 5], dtype=torch.float64)
    found = conductance(runs, steps=3)
    inputs, targets = runs.split("test")
    after, before = (hidden(runs, x)["hidden.1"] for x in (inputs, torch.zeros_like(inputs)))
    last = runs.state.parameters["output.weight"]
    own = torch.stack([v[t] for v, t in zip(last, targets, strict=True)]).mT
    each = own * (after - before)
    torch.testing.assert_close(found["conductance"], each.mean(2))
    torch.testing.assert_close(found["size"], each.abs().mean(2))
    assert float(found["completeness_error"].max()) < 1e-12


def test_deeper_layers_against_integrated_gradients_through_each_unit(make_runs):
    """With the others' slopes cut, what flows through unit j of the first layer is its conductance."""
    runs = make_runs(seeds=(3,), hidden=[4, 5], dtype=torch.float64, scale=2.0, test=6)
    found = conductance(runs, layer="hidden.0", steps=2000)["conductance"][0]
    halves = Halves(runs, "hidden.0")
    inputs, targets = runs.split("test")
    points, total = 4000, torch.zeros(4, dtype=torch.float64)
    for step in range(points):
        x = inputs * ((step + 0.5) / points)
        leaf = x.clone().requires_grad_()
        h = halves.hidden(leaf)
        free = h.detach().requires_grad_()
        score = halves.outputs(free).gather(1, targets.unsqueeze(1)).sum()
        (by_unit,) = torch.autograd.grad(score, free)
        for unit in range(4):
            (slope,) = torch.autograd.grad((h[:, unit] * by_unit[:, unit]).sum(), leaf, retain_graph=True)
            total[unit] += (slope * inputs).sum() / points / inputs.shape[1]
    torch.testing.assert_close(found, total, atol=1e-6, rtol=0)


def test_units_share_what_features_share(make_runs):
    runs = make_runs(hidden=[6, 5], dtype=torch.float64)
    units = conductance(runs, layer="hidden.0", steps=400)["conductance"].sum(1)
    features = integrated_gradients(runs, examples=200)["attribution"].sum((2, 3)).mean(1)
    torch.testing.assert_close(units, features, atol=1e-5, rtol=0)


def test_unknown_layers_are_refused(make_runs):
    with pytest.raises(Problem, match=r"no hidden layer `hidden\.7`"):
        conductance(make_runs(), layer="hidden.7")
    with pytest.raises(Problem, match="has no hidden layer"):
        conductance(make_runs(hidden=[]))
