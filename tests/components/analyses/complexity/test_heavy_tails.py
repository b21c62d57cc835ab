"""Power laws against samples of known exponent, scipy and hand calculation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from gendsl_runtime.analyses.complexity.heavy_tails import heavy_tails
from gendsl_runtime.measures.powerlaw import hill, power_law


@pytest.mark.parametrize("exponent", [1.7, 2.5, 4.0])
def test_a_pareto_sample_gives_its_exponent_within_its_error(exponent):
    sample = 3.0 * (1 - np.random.default_rng(1).random(1000)) ** (-1 / (exponent - 1))
    law = power_law(sample)
    assert abs(law.exponent - exponent) < 4 * law.error
    assert law.lowest >= 3.0
    # Hill's relative error is 1 / sqrt(k).
    assert abs(hill(sample, 500) - exponent) < 4 * (exponent - 1) / np.sqrt(500)


def test_the_tail_begins_where_the_law_does():
    chance = np.random.default_rng(2)
    body = chance.uniform(0, 1, 600)
    law = power_law(np.concatenate([body, (1 - chance.random(600)) ** (-1 / 1.5)]))
    assert 0.9 < law.lowest < 1.2
    assert abs(law.exponent - 2.5) < 4 * law.error


def test_exponent_and_distance_are_those_of_scipy():
    sample = np.abs(np.random.default_rng(3).standard_normal(60))
    law = power_law(sample)
    tail = sample[sample >= law.lowest]
    assert len(tail) == law.tail
    (shape, _, _) = stats.pareto.fit(tail, floc=0, fscale=law.lowest)
    np.testing.assert_allclose(law.exponent, 1 + shape, rtol=1e-9)
    found = stats.kstest(tail, stats.pareto(law.exponent - 1, scale=law.lowest).cdf)
    np.testing.assert_allclose(law.distance, found.statistic, rtol=1e-9)


def test_no_other_lowest_value_fits_better():
    sample = np.random.default_rng(4).exponential(size=25)
    best = power_law(sample)
    for lowest in np.sort(sample)[:-1]:
        tail = sample[sample >= lowest]
        shape = len(tail) / np.log(tail / lowest).sum()
        assert stats.kstest(tail, stats.pareto(shape, scale=lowest).cdf).statistic >= best.distance - 1e-12


def test_samples_without_a_law():
    assert np.isnan(power_law(np.array([2.0, 2.0, 0.0])).exponent)
    assert power_law(np.array([])).tail == 0
    assert np.isnan(hill(np.array([1.0, 2.0]), 2))


def test_layers_by_hand_and_what_changes_nothing(make_runs):
    runs = make_runs(features=9, hidden=[12, 8])
    given = heavy_tails(runs)
    weights = [
        runs.state.parameters[name] for name in ("hidden.0.weight", "hidden.1.weight", "output.weight")
    ]
    for place, weight in enumerate(weights):
        values = np.linalg.eigvalsh(weight[1].double().numpy() @ weight[1].double().numpy().T)
        law = power_law(values[values > 1e-12])
        np.testing.assert_allclose(given["alpha"][1, place], law.exponent, rtol=1e-8)
    largest = [np.linalg.norm(weight[1].double().numpy(), 2) ** 2 for weight in weights]
    expected = (given["alpha"][1] * np.log10(largest)).mean()
    np.testing.assert_allclose(given["weighted_alpha"][1], expected, rtol=1e-8)
    runs.state.parameters["hidden.0.weight"].mul_(4)
    np.testing.assert_allclose(heavy_tails(runs)["alpha"], given["alpha"], rtol=1e-12)
    runs.state.parameters["hidden.1.weight"].copy_(weights[1].flip(1))
    np.testing.assert_allclose(heavy_tails(runs)["alpha"], given["alpha"], rtol=1e-8)


def test_a_layer_of_one_output_has_no_exponent(make_runs):
    given = heavy_tails(make_runs(classes=1, hidden=[6]))
    assert np.isnan(given["alpha"][:, 1]).all()
    np.testing.assert_array_equal(given["mean_alpha"], given["alpha"][:, 0])
