"""Intervals cover what they say: a short form of `benchmarks/claims.py` and `benchmarks/verdicts.py`."""

from __future__ import annotations

import math

import numpy as np
import pytest

from benchmarks.claims import STUDIES, coverage, fractions
from benchmarks.looks import file, quantified, wrong, wrong_fraction
from benchmarks.rules import ADAPTIVE, MOST, PEEKING, RULES
from benchmarks.verdicts import COORDINATES, FAMILIES
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
        ("`exponent` of a mean curve", "normal"),
        ("`auc` of a mean curve", "normal"),
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
    wrong_share = np.mean(RULES[name](values).outcome != 0)
    if name == PEEKING:
        assert wrong_share > 0.1  # what the level is spent for
    else:
        assert wrong_share <= 0.05 + SLACK
    found = RULES[name](values + 1)
    assert np.mean(found.outcome == 1) >= 0.35
    assert found.used.max() <= MOST


@pytest.mark.parametrize("kind", ["normal", "skewed", "bounded", "heavy"])
def test_false_verdicts_of_paired_differences_with_seeds_that_go_on(kind):
    (study,) = (item for item in STUDIES if item.name == "paired difference of means")
    assert wrong(study, kind, repetitions=REPETITIONS) <= 0.05 + SLACK


def test_false_verdicts_of_other_intervals_with_seeds_that_go_on():
    (study,) = (item for item in STUDIES if item.name == "paired difference of medians")
    assert wrong(study, "normal", repetitions=100) <= 0.05 + 3 * math.sqrt(0.95 * 0.05 / 100)
    assert wrong_fraction(0.5, repetitions=REPETITIONS) <= 0.05 + SLACK


def test_false_verdicts_of_files_with_seeds_that_go_on():
    values = np.random.default_rng(3).normal(size=(MOST, 3, REPETITIONS))
    assert file(values, holm=True) <= 0.05 + SLACK
    assert file(values, holm=False) > 0.08
    assert quantified(values, "some", "supported") <= 0.025 + SLACK


def test_seeds_that_go_on_need_few_where_much_is_to_be_seen():
    values = np.random.default_rng(4).normal(size=(REPETITIONS, MOST)) + 1.5
    found = RULES[ADAPTIVE](values)
    assert np.all(found.outcome == 1)
    assert found.used.mean() < 15
