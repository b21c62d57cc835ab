"""Shuffled labels against what a permutation must keep and lose."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from gendsl_runtime.datasets.gaussian_teacher import gaussian_teacher
from gendsl_runtime.datasets.shuffled_labels import shuffled_labels
from gendsl_runtime.datasets.sklearn_digits import sklearn_digits


def test_class_sizes_and_the_test_set_stay():
    digits = sklearn_digits()
    data = shuffled_labels(digits)
    assert (np.bincount(data.split("train").targets) == np.bincount(digits.split("train").targets)).all()
    assert (data.split("test").targets == digits.split("test").targets).all()


def test_as_many_labels_stay_right_as_chance_says():
    digits = sklearn_digits(train=1797, test=0)
    true = digits.split("train").targets.numpy()
    kept = int((shuffled_labels(digits).split("train").targets.numpy() == true).sum())
    chance = float(((np.bincount(true) / 1797) ** 2).sum())
    assert stats.binomtest(kept, 1797, chance).pvalue > 1e-4


@pytest.mark.parametrize("share", [0.0, 0.3])
def test_outside_the_share_labels_stay(share):
    digits = sklearn_digits()
    changed = shuffled_labels(digits, share=share).split("train").targets != digits.split("train").targets
    assert changed.sum() <= 1000 * share
    assert (changed.sum() > 0) == (share > 0)


def test_targets_of_a_regression_are_permuted():
    known = gaussian_teacher(outputs=2)
    data = shuffled_labels(known)
    old, new = (set(map(tuple, d.split("train").targets.tolist())) for d in (known, data))
    assert old == new
    assert (known.split("train").targets != data.split("train").targets).any()
