"""Curves over seeds against scipy's own interval."""

from __future__ import annotations

import numpy as np
import pytest
import vl_convert
from scipy import stats

from gendsl_runtime.plots.line import POINTS, line
from tests.components.plots.columns import TABLE, labels, notes, quantity, rows

WIDTHS, NAMES, SEEDS = [4, 16, 64], ["clean", "poisoned"], list(range(6))


def values() -> np.ndarray:
    return np.random.default_rng(0).lognormal(size=(3, 2, 6))


def test_band_is_students_interval_of_the_mean_over_seeds() -> None:
    y = values()
    chart = line(
        TABLE,
        x=labels("width", WIDTHS),
        y=quantity(y, width=WIDTHS, run=NAMES, seed=SEEDS),
        color=labels("run", NAMES),
        band=0.9,
    )
    found = {(row["x"], row["color"]): row for row in rows(chart)}
    assert len(found) == 6
    for i, width in enumerate(WIDTHS):
        for j, name in enumerate(NAMES):
            row = found[width, name]
            low, high = stats.ttest_1samp(y[i, j], 0).confidence_interval(0.9)
            assert [row["y"], row["low"], row["high"]] == pytest.approx([y[i, j].mean(), low, high], rel=1e-5)
            assert row["seeds"] == 6
    assert "90% t intervals" in notes(chart)


def test_on_a_log_scale_means_are_geometric() -> None:
    y = values()
    chart = line(
        TABLE,
        x=labels("width", WIDTHS),
        y=quantity(y[:, 0], width=WIDTHS, seed=SEEDS),
        y_scale="log",
    )
    for row, own in zip(rows(chart), y[:, 0]):
        low, high = np.exp(stats.ttest_1samp(np.log(own), 0).confidence_interval(0.95))
        assert [row["y"], row["low"], row["high"]] == pytest.approx([stats.gmean(own), low, high], rel=1e-5)
    assert "geometric" in notes(chart)


def test_without_a_band_every_seed_is_a_curve() -> None:
    y = quantity(values()[:, 0], width=WIDTHS, seed=SEEDS)
    found = rows(line(TABLE, x=labels("width", WIDTHS), y=y, band=None))
    assert len(found) == 18
    assert len({row["detail"] for row in found}) == 6


def test_axes_that_nothing_mentions_give_curves_of_their_own() -> None:
    y = quantity(values(), width=WIDTHS, run=NAMES, seed=SEEDS)
    assert len({row["detail"] for row in rows(line(TABLE, x=labels("width", WIDTHS), y=y))}) == 2


def test_missing_seeds_are_left_out_and_a_missing_point_is_said() -> None:
    y = values()[:, 0]
    y[0, 2], y[1] = np.nan, np.nan
    chart = line(TABLE, x=labels("width", WIDTHS), y=quantity(y, width=WIDTHS, seed=SEEDS))
    found = rows(chart)
    assert [(row["x"], row["seeds"]) for row in found] == [(4, 5), (64, 6)]
    assert found[0]["y"] == pytest.approx(np.nanmean(y[0]), rel=1e-5)
    assert "1 of 3 points have no value" in notes(chart)


def test_long_curves_are_thinned_and_say_so() -> None:
    epochs = list(range(1, 5001))
    y = quantity(np.linspace(1, 0, 5000), epoch=epochs)
    for scale in ("linear", "log"):
        chart = line(TABLE, x=labels("epoch", epochs), y=y, x_scale=scale)
        places = [row["x"] for row in rows(chart)]
        assert places[0] == 1
        assert places[-1] == 5000
        assert POINTS / 2 < len(places) <= POINTS
        assert "of 5,000 places" in notes(chart)


def test_numbers_below_zero_cannot_stand_on_a_log_scale() -> None:
    chart = line(
        TABLE, x=labels("shift", [-1, 1, 10]), y=quantity(np.ones(3), shift=[-1, 1, 10]), x_scale="log"
    )
    assert [row["x"] for row in rows(chart)] == [1, 10]
    assert "not above zero" in notes(chart)


def test_one_seed_has_no_band() -> None:
    chart = line(TABLE, x=labels("width", WIDTHS), y=quantity(values()[:, 0, :1], width=WIDTHS, seed=[0]))
    assert all(row["low"] is None for row in rows(chart))
    assert "no band" in notes(chart)


def test_names_along_the_axis_keep_their_order() -> None:
    """A line through layers goes from one to the next, not through the alphabet."""
    layers = ["stem", "conv.0", "output"]
    y = quantity(values()[:, 0], layer=layers, seed=SEEDS)
    chart = line(TABLE, x=labels("layer", layers), y=y)
    assert [row["x"] for row in rows(chart)] == layers
    curve = next(layer for layer in chart.to_dict()["layer"] if layer["mark"]["type"] == "line")
    assert "order" not in curve["encoding"]
    assert curve["encoding"]["x"]["scale"]["domain"] == layers


def test_the_legend_shows_dashes_as_lines() -> None:
    y = quantity(np.arange(4.0).reshape(2, 2), kind=["u", "v"], epoch=[0, 1])
    chart = line(TABLE, x=labels("epoch", [0, 1]), y=y, color=labels("kind", ["u", "v"]))
    (legend,) = vl_convert.vegalite_to_vega(chart.to_dict())["legends"]
    assert legend["symbolType"] == "stroke" and legend["strokeDash"] == "strokeDash"
