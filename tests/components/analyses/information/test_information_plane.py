"""Estimators against closed forms, scikit-learn and counts; the plane of small networks."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from scipy.special import digamma
from scipy.stats import entropy as scipy_entropy
from sklearn.feature_selection import mutual_info_classif, mutual_info_regression
from sklearn.metrics import mutual_info_score

from gendsl_runtime.analyses.information.information_plane import information_plane
from gendsl_runtime.measures import information as info
from gendsl_runtime.measures.layers import hidden
from gendsl_runtime.problem import Problem


@pytest.mark.parametrize("correlation", [0.0, 0.6, 0.9])
def test_nearest_neighbours_on_gaussians_in_closed_form(correlation):
    """`I = -log(1 - r^2) / 2`; the mean over samples within four standard errors."""
    found = []
    for seed in range(20):
        chance = np.random.default_rng(seed)
        x, z = chance.standard_normal((2, 500, 1))
        found.append(info.nearest(x, correlation * x + np.sqrt(1 - correlation**2) * z, neighbours=3))
    truth = -np.log(1 - correlation**2) / 2
    assert abs(np.mean(found) - truth) < 4 * np.std(found) / np.sqrt(20)


def test_nearest_neighbours_in_several_dimensions_by_brute_force():
    chance = np.random.default_rng(0)
    x, t = chance.standard_normal((60, 3)), chance.standard_normal((60, 2))
    t[:, 0] += x[:, 0]
    apart = [cdist(part, part, "chebyshev") for part in (x, t)]
    joint = np.maximum(*apart)
    total = 0.0
    for i in range(60):
        distance = np.sort(joint[i])[4]
        total += sum(digamma((part[i] < distance).sum()) for part in apart)  # itself is the + 1
    expected = digamma(4) + digamma(60) - total / 60
    assert info.nearest(x, t, neighbours=4) == pytest.approx(expected, rel=1e-12)


def test_nearest_neighbours_agree_with_scikit_learn():
    """Its estimators, for one dimension; it adds noise of 1e-10 and cuts at zero."""
    chance = np.random.default_rng(1)
    x = chance.standard_normal((300, 1))
    t = x + chance.standard_normal((300, 1))
    scaled = [part / part.std() for part in (x, t)]
    expected = mutual_info_regression(x, t[:, 0], n_neighbors=3, random_state=0)[0]
    assert info.nearest(*scaled, neighbours=3) == pytest.approx(expected, abs=0.01)
    labels = (x[:, 0] + 0.5 * chance.standard_normal(300) > 0).astype(int)
    expected = mutual_info_classif(t, labels, n_neighbors=3, random_state=0)[0]
    assert info.nearest_classes(t / t.std(), labels, neighbours=3) == pytest.approx(expected, abs=0.01)


def test_classes_of_a_mixture_in_closed_form():
    """Two Gaussians far apart tell everything, equal ones nothing."""
    found = {0.0: [], 50.0: []}
    for seed in range(20):
        chance = np.random.default_rng(seed)
        labels = chance.integers(0, 2, 300)
        for shift, values in found.items():
            points = chance.standard_normal((300, 2)) + shift * labels[:, None]
            values.append(info.nearest_classes(points, labels, neighbours=3))
    assert abs(np.mean(found[0.0])) < 4 * np.std(found[0.0]) / np.sqrt(20)
    # The sample's label entropy, up to digamma against log: below 1/n_y.
    assert np.mean(found[50.0]) == pytest.approx(np.log(2), abs=0.01)


def test_discrete_estimates_are_those_of_scikit_learn_and_scipy():
    chance = np.random.default_rng(2)
    first = chance.integers(0, 7, 200)
    second = (first + chance.integers(0, 3, 200)) % 5
    assert info.discrete(first, second) == pytest.approx(mutual_info_score(first, second), rel=1e-12)
    counts = np.bincount(first)
    assert info.entropy(counts) == pytest.approx(scipy_entropy(counts), rel=1e-12)
    cells = info.binned(np.array([[0.0, 1.0], [0.02, 0.99], [0.5, 0.5], [1.0, 0.0]]), bins=10)
    assert cells[0] == cells[1]
    assert len(set(cells.tolist())) == 3


def test_bounds_of_mixtures():
    """Far points are all told apart, equal ones not at all; a Gaussian channel lies between the bounds."""
    squares = info.squared_distances(np.arange(8.0)[:, None] * 100)
    assert info.mixture_bound(squares, 1.0) == pytest.approx(np.log(8), rel=1e-12)
    assert info.mixture_bound(np.zeros((5, 5)), 1.0) == pytest.approx(0, abs=1e-15)
    points = np.random.default_rng(3).standard_normal((40, 1)) * 2
    # I(which point; point + noise) by numerical integration of the mixture's entropy.
    grid = np.linspace(-15, 15, 20_001)
    density = np.exp(-((grid - points) ** 2) / 2).mean(0) / np.sqrt(2 * np.pi)
    entropy = -np.trapezoid(density * np.log(np.maximum(density, 1e-300)), grid)
    truth = entropy - 0.5 * np.log(2 * np.pi * np.e)
    squares = info.squared_distances(points)
    assert info.mixture_bound(squares, 4.0) <= truth <= info.mixture_bound(squares, 1.0)


def test_the_plane_by_binning(make_runs):
    runs = make_runs(hidden=[4, 3], train=80)
    given = information_plane(runs, bins=5)
    assert given["layer"].tolist() == ["hidden.0", "hidden.1", "output"]
    for place, stack in enumerate(hidden(runs, runs.split("train")[0]).values()):
        points = stack[1].double().numpy().T
        edges = np.linspace(points.min(), points.max(), 6)
        cells = np.clip(np.digitize(points, edges) - 1, 0, 4)
        names = np.array([str(row) for row in cells])
        counts = np.unique(names, return_counts=True)[1]
        assert given["inputs"][1, place] == pytest.approx(scipy_entropy(counts), rel=1e-9)
        expected = mutual_info_score(names, runs.split("train")[1][1].numpy())
        assert given["labels"][1, place] == pytest.approx(expected, rel=1e-9)
    assert (np.diff(information_plane(runs, bins=1000)["inputs"]) <= 1e-12).all()


def test_finer_looks_see_more_and_no_more_than_there_is(make_runs):
    runs = make_runs(hidden=[6], train=100, is_shared=True)
    for setting, values in (("bins", (2, 8, 64)), ("noise", (1.0, 0.1, 0.001))):
        kind = "binning" if setting == "bins" else "kde"
        found = [information_plane(runs, estimator=kind, **{setting: value}) for value in values]
        for coarse, fine in pairwise(found):
            assert (fine["inputs"] >= coarse["inputs"] - 1e-12).all()
        for one in found:
            assert (one["inputs"] <= one["highest_inputs"][:, None] + 1e-12).all()
            assert (one["labels"] <= one["highest_labels"][:, None] + 1e-12).all()
            assert (one["inputs_lower"] <= one["inputs"] + 1e-12).all()


def test_nearest_neighbours_of_a_layer_of_dead_units_are_finite(make_runs):
    runs = make_runs(hidden=[6], train=60, activation="relu")
    runs.state.parameters["hidden.0.bias"].fill_(-100)
    given = information_plane(runs, estimator="ksg")
    assert np.isfinite(given["inputs"]).all()
    assert (np.abs(given["inputs"]) < 0.5).all()


def test_scaling_a_layer_changes_noise_and_not_bins(make_runs):
    runs = make_runs(hidden=[6], activation="relu", train=90)
    before = {kind: information_plane(runs, estimator=kind)["inputs"][:, 0] for kind in ("binning", "kde")}
    for name in ("hidden.0.weight", "hidden.0.bias"):
        runs.state.parameters[name].mul_(8)
    after = {kind: information_plane(runs, estimator=kind)["inputs"][:, 0] for kind in ("binning", "kde")}
    np.testing.assert_allclose(after["binning"], before["binning"], rtol=1e-12)
    assert (after["kde"] > before["kde"] + 0.1).all()


def test_too_few_examples(make_runs):
    with pytest.raises(Problem, match="has 4 examples"):
        information_plane(make_runs(), examples=4, estimator="ksg")
    assert information_plane(make_runs(), examples=4)["used"][0] == 4
    with pytest.raises(Problem, match="has 1 examples"):
        information_plane(make_runs(), examples=1)
