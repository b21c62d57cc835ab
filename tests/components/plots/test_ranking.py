"""Rank correlations of many measures, against those computed one by one."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kendalltau

from gendsl_runtime.plots.ranking import OVERALL, ranking
from gendsl_runtime.problem import Problem
from gendsl_runtime.statistics.granulated_kendall import granulated_kendall
from tests.components.plots.columns import TABLE, labels, notes, quantity, rows

WIDTHS, RATES, SEEDS, NAMES = [4, 8, 16], [0.1, 0.2], list(range(5)), ["good", "noise", "against"]


def columns() -> tuple[np.ndarray, np.ndarray]:
    """Measures `(width, lr, seed, measure)` and gaps `(width, lr, seed)`."""
    chance = np.random.default_rng(0)
    gap = chance.standard_normal((3, 2, 5))
    return np.stack([gap**3, chance.standard_normal(gap.shape), -gap], -1), gap


def test_each_cell_is_the_mean_over_seeds_of_its_coefficient() -> None:
    values, gap = columns()
    axes = {"width": WIDTHS, "lr": RATES, "seed": SEEDS}
    chart = ranking(
        TABLE,
        y=labels("measure", NAMES),
        x=quantity(values, **axes, measure=NAMES),
        of=quantity(gap, **axes),
    )
    found = {(row["y"], row["x"]): row["color"] for row in rows(chart)}
    assert {x for _, x in found} == {"along width", "along lr", *OVERALL}
    for place, name in enumerate(NAMES):
        pairs = [(values[:, :, seed, place], gap[:, :, seed]) for seed in range(5)]
        tau = np.mean([kendalltau(a.ravel(), b.ravel()).statistic for a, b in pairs])
        psi = np.mean([granulated_kendall(a.ravel(), b.ravel(), (3, 2)) for a, b in pairs])
        width = np.mean([kendalltau(a[:, r], b[:, r]).statistic for a, b in pairs for r in range(2)])
        assert found[name, OVERALL[0]] == pytest.approx(tau, abs=1e-5)
        assert found[name, OVERALL[1]] == pytest.approx(psi, abs=1e-5)
        assert found[name, "along width"] == pytest.approx(width, abs=1e-5)
    assert found["good", OVERALL[2]] == 1.0
    assert found["against", OVERALL[2]] == -1.0
    assert "means over 5 seeds" in notes(chart)


def test_the_best_measure_stands_first() -> None:
    values, gap = columns()
    axes = {"width": WIDTHS, "lr": RATES, "seed": SEEDS}
    given = {"y": labels("measure", NAMES), "x": quantity(values, **axes, measure=NAMES)}
    chart = ranking(TABLE, **given, of=quantity(gap, **axes)).to_dict()
    domain = chart["encoding"]["y"]["scale"]["domain"]
    assert domain == ["good", "noise", "against"]
    plain = ranking(TABLE, **given, of=quantity(-gap, **axes), sorted=False).to_dict()
    assert plain["encoding"]["y"]["scale"]["domain"] == NAMES


def test_nothing_to_put_in_order() -> None:
    values, gap = columns()
    with pytest.raises(Problem, match="nothing is swept"):
        ranking(
            TABLE,
            y=labels("measure", NAMES),
            x=quantity(values[0, 0], seed=SEEDS, measure=NAMES),
            of=quantity(gap[0, 0], seed=SEEDS),
        )


def test_no_setting_in_common() -> None:
    values, gap = columns()
    given = {"lr": RATES, "seed": SEEDS}
    with pytest.raises(Problem, match="no setting in common"):
        ranking(
            TABLE,
            y=labels("measure", NAMES),
            x=quantity(values, width=WIDTHS, **given, measure=NAMES),
            of=quantity(gap, width=[5, 6, 7], **given),
        )


def test_infinite_measures_are_ties_in_every_column() -> None:
    """Flatness is infinite where no noise is withstood: pairs of infinities count nothing, in each of the columns."""
    gap = np.repeat(np.arange(4.0)[:, None], 5, axis=1)
    values = np.stack([np.where(gap >= 2, np.inf, gap), gap], -1)
    axes = {"width": [1, 2, 3, 4], "seed": SEEDS}
    names = ["infinite", "gap"]
    chart = ranking(
        TABLE,
        y=labels("measure", names),
        x=quantity(values, **axes, measure=names),
        of=quantity(gap, **axes),
    )
    found = {(row["y"], row["x"]): row["color"] for row in rows(chart)}
    assert found["infinite", "along width"] == found["infinite", OVERALL[1]] == pytest.approx(5 / 6, abs=1e-5)
    assert found["infinite", OVERALL[0]] == pytest.approx(5 / 30**0.5, abs=1e-5), (
        "tau-b of five pairs and a tie"
    )
    assert found["infinite", OVERALL[2]] == 0.0
    assert found["gap", "along width"] == 1.0
