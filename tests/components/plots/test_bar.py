"""Bars against scipy's interval and plain means."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from gendsl_runtime.plots.bar import bar
from tests.components.plots.columns import TABLE, labels, notes, quantity, rows

NAMES, WIDTHS, SEEDS = ["clean", "poisoned"], [4, 64], list(range(5))
VALUES = np.random.default_rng(1).normal(size=(2, 2, 5))


def test_bars_are_means_over_seeds_with_students_interval() -> None:
    y = quantity(VALUES, run=NAMES, width=WIDTHS, seed=SEEDS)
    chart = bar(TABLE, x=labels("run", NAMES), y=y, color=labels("width", WIDTHS))
    for row in rows(chart):
        own = VALUES[NAMES.index(row["x"]), WIDTHS.index(row["color"])]
        low, high = stats.ttest_1samp(own, 0).confidence_interval(0.95)
        assert [row["y"], row["low"], row["high"]] == pytest.approx([own.mean(), low, high], rel=1e-5)
    assert "5 seeds" in notes(chart)


def test_axes_that_nothing_mentions_are_averaged_and_said() -> None:
    y = quantity(VALUES, run=NAMES, width=WIDTHS, seed=SEEDS)
    chart = bar(TABLE, x=labels("run", NAMES), y=y)
    assert [row["y"] for row in rows(chart)] == pytest.approx(VALUES.mean((1, 2)), rel=1e-5)
    assert "means over width" in notes(chart)


def test_without_a_band_there_are_no_ends() -> None:
    y = quantity(VALUES[:, 0], run=NAMES, seed=SEEDS)
    found = rows(bar(TABLE, x=labels("run", NAMES), y=y, band=None))
    assert "low" not in found[0]
    assert [row["y"] for row in found] == pytest.approx(VALUES[:, 0].mean(1), rel=1e-5)


def test_bars_start_at_zero() -> None:
    y = quantity(VALUES[:, 0] + 100, run=NAMES, seed=SEEDS)
    content = bar(TABLE, x=labels("run", NAMES), y=y).to_dict()
    assert content["layer"][0]["encoding"]["y"]["scale"]["zero"] is True
