"""Smallest perturbations that change the class."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor

from gendsl_runtime.component import Count, SplitName, analysis
from gendsl_runtime.measures.boundary import closest_mistake, is_wrong
from gendsl_runtime.runs import Runs

OVERSHOOT = 0.02
"""By how much a step goes beyond the linearised boundary (Moosavi-Dezfooli et al. 2016, section 3)."""
HALVINGS = 24
"""Of the segment to a mistake: its length is found to 1e-7 of itself, as far as float32 reaches."""


@analysis(
    version=1,
    needs=["classification", "numbers"],
    gives={
        "distance": "1 [example]",
        "median": "1",
        "mean": "1",
        "lowest_right": "1",
        "found": "1",
    },
    shares=["found"],
    axes={"example": "place of the example in its split"},
    paper="moosavi2016deepfool",
)
def minimal_perturbation(
    runs: Runs,
    *,
    norm: Literal["l2", "linf"] = "l2",
    steps: Count = 50,
    on: SplitName = "test",
) -> dict[str, Tensor]:
    """How far each input is from the nearest one that the network gets wrong.

    `distance`: DeepFool (Moosavi-Dezfooli, Fawzi and Frossard 2016) steps to the boundary of the linearised network,
    `min_c (f_y - f_c) / |grad (f_y - f_c)|_q` with q dual to the norm, until the class changes; then the segment from
    the input to that point is halved down to the boundary. It is the distance of a mistake that was seen, so an upper
    bound of the true distance, and exact for a linear classifier. `input_margins` is the first of these steps alone.

    An example that is wrong already has distance 0; one for which no mistake was found within the steps an infinite
    one, which makes the mean infinite; `found` is the share of the others. `lowest_right` is the smallest distance of
    an example that is right, infinite where there is none. Inputs may leave the range of the data. Evaluation mode.

    Args:
        norm: `l2`, the Euclidean length of the change, or `linf`, its largest number.
        steps: at most so many.
        on: the split.
    """
    distance, wrong = [], []
    for inputs, targets in runs.chunks(on):
        wrong.append(is_wrong(runs, inputs, targets))
        distance.append(
            closest_mistake(
                runs, inputs, targets, norm=norm, steps=steps, overshoot=OVERSHOOT, halvings=HALVINGS
            )
        )
    away, is_mistake = torch.cat(distance, 1), torch.cat(wrong, 1)
    return {
        "distance": away,
        "median": torch.from_numpy(np.median(away.cpu().numpy(), axis=1)),
        "mean": away.mean(1),
        "lowest_right": torch.where(is_mistake, torch.inf, away).amin(1),
        "found": away.isfinite().double().mean(1),
    }
