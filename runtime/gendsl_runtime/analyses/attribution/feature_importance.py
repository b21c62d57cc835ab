"""Importance of the numbers of an input."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor

from gendsl_runtime.component import Count, SplitName, analysis
from gendsl_runtime.measures import attributions
from gendsl_runtime.random import generator
from gendsl_runtime.runs import Runs


@analysis(
    version=1,
    needs=["classification", "numbers"],
    gives={"importance": "1 [y, x]", "standard_error": "1 [y, x]"},
    differences=["importance", "standard_error"],
    axes={"y": "row of the input", "x": "column of the input"},
    paper=["breiman2001random", "fisher2019all"],
)
def feature_importance(
    runs: Runs,
    *,
    by: Literal["permutation", "mean"] = "permutation",
    repeats: Count = 5,
    on: SplitName = "test",
) -> dict[str, Tensor | np.ndarray]:
    """How much accuracy is lost when one number of the input says nothing any more.

    `accuracy - accuracy with that number replaced`: by that of another example, in a random order (Breiman 2001;
    Fisher, Rudin and Dominici 2019), the mean of `repeats` orders and its standard error over them; or by its `mean`
    over the split, which is exact. All channels of a pixel go together. Numbers that carry the same information hide
    each other. Orders come from a stream of the run's seed. One evaluation a number and repeat. Evaluation mode.

    Args:
        by: `permutation` or `mean`.
        repeats: orders, where permuted.
        on: the split.
    """
    inputs, targets = runs.split(on)
    height, width = (len(axis) for axis in attributions.ticks(runs.network.shape).values())
    times = repeats if by == "permutation" else 1
    streams = [generator("feature_importance", seed) for seed in runs.seeds]
    orders = [
        torch.from_numpy(np.stack([stream.permutation(inputs.shape[1]) for stream in streams]))
        for _ in range(times)
    ]
    before = runs.accuracy(on)
    lost = torch.empty(runs.members, height, width, times, dtype=torch.float64)
    for y in range(height):
        for x in range(width):
            place = (..., x) if len(runs.network.shape) == 1 else (..., y, x)
            for turn, order in enumerate(orders):
                changed = inputs.clone()
                changed[place] = _replaced(changed[place], order if by == "permutation" else None)
                lost[:, y, x, turn] = before - _accuracy(runs, changed, targets)
    spread = lost.std(3) / times**0.5 if times > 1 else torch.zeros_like(lost[..., 0])
    return {
        "importance": lost.mean(3),
        "standard_error": spread,
        **attributions.ticks(runs.network.shape),
    }


def _replaced(values: Tensor, order: Tensor | None) -> Tensor:
    """The values `(members, examples[, channels])` of other examples, or their mean."""
    if order is None:
        return values.double().mean(1, keepdim=True).to(values).expand_as(values)
    return torch.stack([own.index_select(0, places) for own, places in zip(values, order, strict=True)])


@torch.no_grad()
def _accuracy(runs: Runs, inputs: Tensor, targets: Tensor) -> Tensor:
    return (runs.outputs(inputs).max(1).indices == targets).double().mean(1).cpu()
