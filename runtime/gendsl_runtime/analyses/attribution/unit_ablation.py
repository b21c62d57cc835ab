"""Ablation of hidden units."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor

from gendsl_runtime.component import Count, SplitName, Text, analysis
from gendsl_runtime.measures.attributions import Halves
from gendsl_runtime.random import generator
from gendsl_runtime.runs import BLOCK, Runs


@analysis(
    version=1,
    needs=["classification", "numbers"],
    gives={"accuracy": "1 [ablated]", "area": "1", "importance": "1 [unit]"},
    shares=["accuracy", "area"],
    differences=["importance"],
    axes={"ablated": "share of the units that are ablated", "unit": "place of the unit in its layer"},
    paper="morcos2018importance",
)
def unit_ablation(
    runs: Runs,
    *,
    layer: Text | None = None,
    to: Literal["zero", "mean"] = "zero",
    points: Count = 10,
    orders: Count = 10,
    on: SplitName = "test",
) -> dict[str, np.ndarray]:
    """How accuracy falls as more and more units of a hidden layer are held at a constant.

    After Morcos et al. (2018): units (of a convolution, whole channels) are clamped in a random order, cumulatively;
    `accuracy` is the mean over `orders` orders at `points` equal shares of the units after none, `area` the area under
    that curve by the trapezoid rule: a network that leans on single directions falls early. `importance` is the
    accuracy lost when that unit alone is clamped. Orders come from a stream of the run's seed. Evaluation mode.

    Args:
        layer: name of the hidden layer, `hidden.0`; the last one unless given.
        to: the constant: `zero`, or the unit's `mean` over the split.
        points: shares of the units, the last being all.
        orders: random orders.
        on: the split.

    Raises:
        Problem: there is no such layer.
    """
    halves = Halves(runs, layer)
    inputs, targets = runs.split(on)
    with torch.no_grad():
        hidden = torch.cat([halves.hidden(part) for part in torch.split(inputs, BLOCK, 1)], -1)
        rest = _means(hidden) if to == "mean" else torch.zeros_like(hidden[..., :1])
    units = hidden.shape[1]

    def accuracy(kept: np.ndarray) -> np.ndarray:
        """With the units `(members, units)` that are kept."""
        mask = torch.from_numpy(kept).to(hidden.device)
        return _accuracy(halves, hidden, rest, mask.reshape(*mask.shape, *[1] * (hidden.ndim - 2)), targets)

    ranks = np.stack(
        [
            [generator("unit_ablation", seed, order).permutation(units) for order in range(orders)]
            for seed in runs.seeds
        ]
    )
    shares = np.linspace(0, 1, points + 1)
    counts = np.round(shares * units)
    curve = np.stack(
        [np.mean([accuracy(ranks[:, order] >= count) for order in range(orders)], 0) for count in counts], 1
    )
    whole = np.ones((runs.members, units), dtype=bool)
    alone = [accuracy(np.where(np.arange(units) == unit, False, whole)) for unit in range(units)]
    return {
        "accuracy": curve,
        "area": np.trapezoid(curve, counts / units, axis=1),
        "importance": accuracy(whole)[:, None] - np.stack(alone, 1),
        "ablated": counts / units,
    }


def _means(hidden: Tensor) -> Tensor:
    return hidden.double().mean(-1, keepdim=True).to(hidden)


@torch.no_grad()
def _accuracy(halves: Halves, hidden: Tensor, rest: Tensor, kept: Tensor, targets: Tensor) -> np.ndarray:
    """`(members,)` with units at `rest` where they are not kept."""
    right = torch.zeros(len(hidden), dtype=torch.float64, device=hidden.device)
    pieces = zip(torch.split(hidden, BLOCK, -1), torch.split(targets, BLOCK, 1), strict=True)
    for values, labels in pieces:
        found = halves.outputs(torch.where(kept, values, rest)).max(1).indices
        right += (found == labels).double().sum(1)
    shares: np.ndarray = (right / targets.shape[1]).cpu().numpy()
    return shares
