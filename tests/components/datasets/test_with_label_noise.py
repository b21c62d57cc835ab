"""Label noise against its own definition and the uniform distribution."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from gendsl_runtime.datasets.curve import curve
from gendsl_runtime.datasets.gaussian_teacher import gaussian_teacher
from gendsl_runtime.datasets.prefix_sums import prefix_sums
from gendsl_runtime.datasets.sklearn_digits import sklearn_digits
from gendsl_runtime.datasets.with_label_noise import with_label_noise
from gendsl_runtime.problem import Problem


@pytest.mark.parametrize("share", [0.0, 0.2, 0.333, 1.0])
def test_exactly_the_share_is_wrong_and_the_test_set_is_not(share):
    digits = sklearn_digits()
    noisy = with_label_noise(digits, share=share)
    assert (noisy.split("train").targets != digits.split("train").targets).sum() == round(1000 * share)
    assert (noisy.split("test").targets == digits.split("test").targets).all()
    assert noisy.split("train").inputs is digits.split("train").inputs


def test_wrong_labels_are_uniform_over_the_other_classes():
    digits = sklearn_digits(train=1797, test=0)
    noisy = with_label_noise(digits, share=1.0)
    shift = (noisy.split("train").targets - digits.split("train").targets).numpy() % 10
    counts = np.bincount(shift, minlength=10)
    assert counts[0] == 0
    assert stats.chisquare(counts[1:]).pvalue > 1e-4


def test_places_are_uniform():
    digits = sklearn_digits(train=1000)
    noisy = with_label_noise(digits, share=0.5)
    places = np.flatnonzero(noisy.split("train").targets != digits.split("train").targets)
    assert stats.kstest(places / 1000, "uniform").pvalue > 1e-4


def test_a_larger_share_spoils_the_same_places_in_the_same_way():
    digits = sklearn_digits()
    true = digits.split("train").targets
    few, many = (with_label_noise(digits, share=share).split("train").targets for share in (0.1, 0.4))
    spoiled = few != true
    assert (few[spoiled] == many[spoiled]).all()


def test_a_regression_has_no_labels():
    with pytest.raises(Problem, match="regression"):
        with_label_noise(gaussian_teacher(), share=0.1)


def test_places_and_numbers_are_no_classes():
    for data, task in ((prefix_sums(train=4, held_back=4), "labelling"), (curve(held_back=4), "regression")):
        with pytest.raises(Problem, match=f"changes the classes of examples, and this dataset is a {task}"):
            with_label_noise(data, share=0.5)
