"""Inputs with mean 0 and variance 1."""

from __future__ import annotations

from typing import Literal

from gendsl_runtime.component import dataset
from gendsl_runtime.data import Dataset
from gendsl_runtime.data.splitting import standard


@dataset(version=1, like="data", needs="numbers", paper="lecun1998efficient")
def standardised(data: Dataset, *, by: Literal["coordinate", "channel"] = "coordinate") -> Dataset:
    """Inputs with mean 0 and standard deviation 1 over `train`.

    In all splits `(x - m) / s` with the population deviation s (divided by the number of values), computed in
    float64. The statistics are those of `train` alone, so nothing of the test set is used; other splits need
    not have mean 0. Where the training inputs do not vary, as in the corners of digits, they are only
    centred.

    Args:
        data: any dataset of numbers.
        by: a mean and deviation for each coordinate, or one for each channel of an image, over all its pixels
            (of a vector, one for all coordinates).

    Paper:
        LeCun, Bottou, Orr and Mueller (1998), Efficient BackProp, in Neural networks: tricks of the trade.

    Example:
        dataset digits = standardised(sklearn_digits(train=1000), by=channel)
    """
    return standard(data, by_channel=by == "channel")
