"""Cells: means, order, and coarser grids for large ones."""

from __future__ import annotations

import numpy as np
import pytest

from gendsl_runtime.plots.heatmap import CELLS, heatmap
from tests.components.plots.columns import TABLE, labels, notes, quantity, rows

WIDTHS, NAMES, SEEDS = [4, 16, 64], ["clean", "poisoned"], [0, 1]
VALUES = np.random.default_rng(2).normal(size=(3, 2, 2))


def test_cells_are_means_over_what_is_not_mentioned() -> None:
    chart = heatmap(
        TABLE,
        x=labels("width", WIDTHS),
        y=labels("run", NAMES),
        color=quantity(VALUES, width=WIDTHS, run=NAMES, seed=SEEDS),
    )
    for row in rows(chart):
        own = VALUES[WIDTHS.index(row["x"]), NAMES.index(row["y"])]
        assert row["color"] == pytest.approx(own.mean(), rel=1e-5)
    assert "means over seed" in notes(chart)


def test_numbers_grow_upwards_and_names_go_downwards() -> None:
    color = quantity(VALUES.mean(2), width=WIDTHS, run=NAMES)
    up = heatmap(TABLE, x=labels("run", NAMES), y=labels("width", WIDTHS), color=color).to_dict()
    assert up["encoding"]["y"]["scale"]["domain"] == [64, 16, 4]
    down = heatmap(TABLE, x=labels("width", WIDTHS), y=labels("run", NAMES), color=color).to_dict()
    assert down["encoding"]["y"]["scale"]["domain"] == NAMES


def test_large_grids_are_drawn_coarser_and_say_so() -> None:
    side = list(range(200))
    color = quantity(np.zeros((200, 200)), a=side, b=side)
    chart = heatmap(TABLE, x=labels("a", side), y=labels("b", side), color=color)
    assert CELLS / 4 < len(rows(chart)) <= CELLS
    assert "One of 4 places" in notes(chart)


def test_a_middle_has_two_hues() -> None:
    color = quantity(VALUES.mean(2), width=WIDTHS, run=NAMES)
    chart = heatmap(TABLE, x=labels("width", WIDTHS), y=labels("run", NAMES), color=color, middle=0.0)
    assert chart.to_dict()["encoding"]["color"]["scale"]["domainMid"] == 0.0
    rows(chart)
