"""Intervals cover what they say: a short form of `benchmarks/claims.py` and `benchmarks/verdicts.py`."""

from __future__ import annotations

import math

import numpy as np
import pytest

from benchmarks.claims import STUDIES, coverage, fractions
from benchmarks.verdicts import COORDINATES, FAMILIES, MOST, RULES
from gendsl_runtime.claims.peaks import peak

REPETITIONS = 600
SLACK = 3 * math.sqrt(0.95 * 0.05 / REPETITIONS)
"""Three standard errors of a share of 95 %."""


@pytest.mark.parametrize(
    ("study", "kind"),
    [
        ("mean", "normal"),
        ("paired difference of means", "skewed"),
        ("paired difference of means", "heavy"),
        ("median", "bounded"),
        ("ratio of means", "normal"),
        ("std", "normal"),
        ("spearman", "normal"),
    ],
)
@pytest.mark.parametrize("seeds", [5, 10])
def test_intervals_cover(study, kind, seeds):
    (found,) = (item for item in STUDIES if item.name == study)
    row = coverage(found, kind, seeds, repetitions=REPETITIONS)
    assert row.inside >= 0.95 - SLACK


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_fractions_cover(share):
    assert fractions(share, 10, repetitions=REPETITIONS).inside >= 0.95 - SLACK


@pytest.mark.parametrize("name", ["rise", "highest", "lowest"])
def test_peaks_of_flat_curves_cover(name):
    values = np.random.default_rng(0).normal(size=(10, 12, REPETITIONS))
    found = peak(name, values, level=0.95, threshold=np.zeros(REPETITIONS))
    assert np.mean((found.low <= 0) & (found.high >= 0)) >= 0.95 - SLACK


@pytest.mark.parametrize("name", FAMILIES)
def test_false_verdicts_of_claims_and_files(name):
    values = np.random.default_rng(1).normal(size=(10, COORDINATES, REPETITIONS))
    wrong = FAMILIES[name](values)
    if name == "a file of 5 claims, any decided":
        assert wrong > 0.15  # what Holm's method is for
    else:
        assert wrong <= 0.05 + SLACK


@pytest.mark.parametrize("name", RULES)
def test_false_verdicts_and_power_of_rules(name):
    values = np.random.default_rng(2).normal(size=(REPETITIONS, MOST))
    assert np.mean(RULES[name](values).outcome != 0) <= 0.05 + SLACK
    found = RULES[name](values + 1)
    assert np.mean(found.outcome == 1) >= 0.35
    assert found.used.max() <= MOST
