"""Shares against numpy's own histogram."""

from __future__ import annotations

import numpy as np
import pytest

from gendsl_runtime.plots.histogram import histogram
from gendsl_runtime.problem import Problem
from tests.components.plots.columns import TABLE, labels, notes, quantity, rows

NAMES, SEEDS = ["clean", "poisoned"], list(range(50))
VALUES = np.random.default_rng(3).normal(size=(2, 50))


def test_shares_are_numpys_and_add_up_to_one_for_each_colour() -> None:
    x = quantity(VALUES, run=NAMES, seed=SEEDS)
    chart = histogram(TABLE, x, color=labels("run", NAMES), bins=7)
    found = rows(chart)
    edges = np.histogram_bin_edges(VALUES, 7)
    for place, name in enumerate(NAMES):
        own = [row for row in found if row["color"] == name]
        assert sum(row["share"] for row in own) == pytest.approx(1, abs=1e-5)
        counts = np.histogram(VALUES[place], edges)[0]
        assert [row["count"] for row in own] == counts[counts > 0].tolist()
    assert "100 values in 7 bins" in notes(chart)


def test_number_of_bins_follows_rices_rule() -> None:
    assert "in 10 bins" in notes(histogram(TABLE, quantity(VALUES, run=NAMES, seed=SEEDS)))


def test_on_a_log_scale_bins_have_one_ratio() -> None:
    x = quantity(np.geomspace(1, 1000, 30), seed=list(range(30)))
    found = rows(histogram(TABLE, x, bins=3, x_scale="log"))
    assert [row["high"] / row["low"] for row in found] == pytest.approx([10] * 3, rel=1e-4)
    assert [row["count"] for row in found] == [10, 10, 10]


def test_equal_values_have_one_bin_of_their_own() -> None:
    chart = histogram(TABLE, quantity(np.full(4, 2.5), seed=[0, 1, 2, 3]))
    assert [row["count"] for row in rows(chart)] == [4]


def test_without_any_value_there_is_nothing_to_draw() -> None:
    with pytest.raises(Problem, match="nothing to draw: 4 of 4 points have no value"):
        histogram(TABLE, quantity(np.full(4, np.nan), seed=[0, 1, 2, 3]))


def test_overlapping_histograms_are_told_apart_by_their_tops() -> None:
    x = quantity(VALUES, run=NAMES, seed=SEEDS)
    content = histogram(TABLE, x, color=labels("run", NAMES)).to_dict()
    bars, tops = content["layer"]
    assert (bars["mark"]["type"], tops["mark"]["type"]) == ("rect", "rule")
    assert "y2" not in tops["encoding"]
    assert tops["encoding"]["x2"] == bars["encoding"]["x2"]
    assert "layer" not in histogram(TABLE, x).to_dict()
