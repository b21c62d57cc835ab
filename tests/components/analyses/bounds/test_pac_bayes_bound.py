"""PAC-Bayes bounds of Gaussians around weights: by hand on a linear network, and what is refused."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import norm

from gendsl_runtime.analyses.bounds.pac_bayes_bound import PRIORS, pac_bayes_bound
from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.measures import pac_bayes
from gendsl_runtime.models.linear import linear
from gendsl_runtime.models.mlp import mlp
from gendsl_runtime.network import State
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Runs

MakeRuns = Callable[..., Runs]


def moved(runs: Runs, by: float) -> Runs:
    state = State({name: value + by for name, value in runs.state.parameters.items()}, runs.state.buffers)
    return replace(runs, state=state)


def test_against_the_exact_risk_of_a_linear_network(make_runs: MakeRuns) -> None:
    """Two classes, linear: the error of a draw at x is a normal tail, so `E_Q r` is known; the mean over 4000 draws is
    within 5 standard errors (at most 0.5 / sqrt(4000) each). Divergence and bound then follow by hand."""
    runs = moved(make_runs((1, 2), classes=2, train=40, network=linear((3,), 2)), 0.3)
    found = pac_bayes_bound(runs, samples=4000, sigmas=[0.5])
    fresh = runs.network.init(runs.seeds).parameters
    for member in range(2):
        weight, bias = (
            runs.state.parameters[f"output.{part}"][member].double() for part in ("weight", "bias")
        )
        x, y = runs.data[member].split("train").inputs.double(), runs.data[member].split("train").targets
        lead = x @ (weight[1] - weight[0]) + bias[1] - bias[0]
        spread = 0.5 * torch.sqrt(2 * (x.square().sum(1) + 1))
        is_wrong = norm.cdf(-(lead * (2 * y - 1) / spread).numpy())
        assert abs(found["risk"][member] - is_wrong.mean()) < 5 * 0.5 / math.sqrt(4000)
        d2 = sum(
            float((runs.state.parameters[name][member] - fresh[name][member]).double().square().sum())
            for name in fresh
        )
        kl = min(4 * (0.25 / t**2 - 1 - math.log(0.25 / t**2)) + d2 / t**2 / 2 for t in PRIORS)
        assert found["kl"][member] == pytest.approx(kl, rel=1e-6)
        above = pac_bayes.kl_inverse(found["risk"][member], math.log(2 / 0.01) / 4000)
        level = (kl + math.log(64) + math.log(2 * math.sqrt(40) / 0.04)) / 40
        assert found["bound"][member] == pytest.approx(float(pac_bayes.kl_inverse(above, level)), rel=1e-6)


def test_a_list_of_deviations_costs_confidence_of_the_draws_only(make_runs: MakeRuns) -> None:
    runs = moved(make_runs(classes=2), 0.1)
    many = pac_bayes_bound(runs, samples=20, sigmas=[0.1, 0.2, 0.4])
    one = pac_bayes_bound(runs, samples=20, sigmas=[0.2])
    np.testing.assert_array_equal(many["risk_at"][:, 1], one["risk"])
    np.testing.assert_array_equal(many["kl_at"][:, 1], one["kl"])
    assert (many["bound_at"][:, 1] > one["bound"]).all()
    np.testing.assert_array_equal(many["bound"], many["bound_at"].min(1))


def test_untrained_weights_around_themselves_cost_nothing_but_the_grid(make_runs: MakeRuns) -> None:
    """With v = w the best prior is the grid's nearest to s; twice the ratio of the grid apart at most."""
    runs = make_runs()
    found = pac_bayes_bound(runs, samples=5, sigmas=[float(PRIORS[40])])
    np.testing.assert_allclose(found["kl"], 0, atol=1e-9)
    zero = pac_bayes_bound(runs, samples=5, sigmas=[float(PRIORS[40])], prior="zero")
    assert (zero["kl"] > 0).all()
    lengths = [
        math.sqrt(sum(float(v[m].double().square().sum()) for v in runs.state.parameters.values()))
        for m in range(3)
    ]
    np.testing.assert_allclose(zero["distance"], lengths)


def parts(seed: int) -> tuple[Split, Split]:
    stream = torch.Generator().manual_seed(seed)
    inputs, targets = torch.randn(40, 3, generator=stream), torch.randint(0, 3, (40,), generator=stream)
    return Split(inputs[:20], targets[:20]), Split(inputs[20:], targets[20:])


def stack(network: object, train: Split, **others: Split) -> Runs:
    data = Dataset({"train": train, **others}, "classification", (3,), 3)
    loss = torch.nn.functional.cross_entropy
    return Runs(network, network.init([4]), (data,), (4,), loss)


def test_a_prior_that_saw_examples_of_the_split_is_refused() -> None:
    network = mlp((3,), 3, hidden=[4])
    first, rest = parts(0)
    prior = moved(stack(network, first), 0.2)
    both = Split(torch.cat([first.inputs, rest.inputs]), torch.cat([first.targets, rest.targets]))
    runs = moved(stack(network, both, rest=rest), 0.25)
    found = pac_bayes_bound(runs, on="rest", other=prior, samples=5)
    size = sum(v.numel() for v in prior.state.parameters.values())
    np.testing.assert_allclose(found["distance"], 0.05 * math.sqrt(size), rtol=1e-5)
    with pytest.raises(Problem, match="20 of 40 examples of `train`"):
        pac_bayes_bound(runs, on="train", other=prior, samples=5)
    start = stack(network, first)
    pac_bayes_bound(runs, on="train", other=start, samples=5)


def test_running_statistics_have_no_prior() -> None:
    network = mlp((3,), 3, hidden=[4], norm="batch")
    first, _ = parts(0)
    runs = stack(network, first)
    pac_bayes_bound(runs, samples=3)
    trained = replace(
        runs, state=State(runs.state.parameters, {n: v + 0.1 for n, v in runs.state.buffers.items()})
    )
    with pytest.raises(Problem, match="no prior for"):
        pac_bayes_bound(trained, samples=3)
