"""Kept examples against a plain sort."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats

from gendsl_runtime.datasets.keep import keep
from gendsl_runtime.datasets.sklearn_digits import sklearn_digits
from gendsl_runtime.problem import Problem


def places(part, whole) -> list[int]:
    """Where each kept example stood."""
    known = {row.tobytes(): place for place, row in enumerate(whole.split("train").inputs.numpy())}
    return [known[row.tobytes()] for row in part.split("train").inputs.numpy()]


@pytest.mark.parametrize("side", ["top", "bottom"])
def test_scores_choose(side):
    digits = sklearn_digits(train=200)
    scores = torch.from_numpy(np.random.default_rng(0).permutation(200).astype(np.float32))
    kept = places(keep(digits, share=0.25, by=scores, side=side), digits)
    wanted = scores >= 150 if side == "top" else scores < 50
    assert kept == np.flatnonzero(wanted).tolist()


def test_equal_scores_keep_the_first():
    digits = sklearn_digits(train=40)
    for side in ("top", "bottom"):
        assert places(keep(digits, share=0.5, by=torch.zeros(40), side=side), digits) == list(range(20))


def test_random_parts_are_nested_and_uniform():
    digits = sklearn_digits(train=1000)
    few, many = (places(keep(digits, share=share), digits) for share in (0.2, 0.6))
    assert set(few) < set(many)
    assert many == sorted(many)
    assert stats.kstest(np.array(many) / 1000, "uniform").pvalue > 1e-4


def test_sizes_are_equal_across_seeds_and_other_splits_stay():
    digits = sklearn_digits(train=333)
    sizes = {len(keep(digits, share=0.5, seed=seed).split("train")) for seed in range(5)}
    assert sizes == {round(0.5 * 333)}
    assert keep(digits, share=0.5).split("test") is digits.split("test")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"share": 0.0}, "leaves nothing"),
        ({"share": 0.5, "by": torch.zeros(39)}, "40 training examples, found 39"),
        ({"share": 0.5, "by": torch.tensor(1.0)}, "found a single number"),
        ({"share": 0.5, "by": torch.full((40,), torch.nan)}, "40 of the 40 scores"),
    ],
)
def test_what_cannot_be_kept_is_refused(arguments, message):
    with pytest.raises(Problem, match=message):
        keep(sklearn_digits(train=40), **arguments)
