"""Decision boundary in the plane."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from gendsl_runtime.component import Count, Natural, NonNegative, SplitName, analysis
from gendsl_runtime.data import Dataset
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Runs


@analysis(
    version=2,
    needs=["classification", "plane"],
    gives={
        "score": "1 [y, x]",
        "label": "1 [y, x]",
        "point_x": "1 [point]",
        "point_y": "1 [point]",
        "target": "1 [point]",
    },
    shares=["score", "target"],
    axes={
        "y": "second coordinate of the input",
        "x": "first coordinate of the input",
        "point": "place of the point among those trained on",
    },
)
def decision_boundary(
    runs: Runs,
    *,
    resolution: Count = 100,
    class_: Natural = 1,
    on: SplitName = "train",
    margin: NonNegative = 0.1,
) -> dict[str, np.ndarray | list[np.ndarray]]:
    """What a network says about every point of the plane, and the points it was trained on, for a picture.

    `score = softmax(f(x, y))_c`, the probability of class c = `class` (between two classes the boundary is at
    0.5), and `label`, the most probable class, on a grid of `resolution` points along each coordinate, ends
    included. The grid covers the inputs of a split with a margin, and its ends are rounded outwards to a
    tenth of the power of ten below the range, so that samples of one distribution mostly share their grid.
    Evaluation mode; softmax in float64.

    `(point_x, point_y)` are the points trained on, those that were added with wrong labels last; `target` is the
    score that training asks for there, 1 for the label c and 0 for others. To be drawn on top of the picture:

        image(at.score where seed == 0, x=at.point_x where seed == 0, y=at.point_y where seed == 0,
            color=at.target where seed == 0)

    Args:
        resolution: grid points along each coordinate.
        class_: class whose probability is the score.
        on: the split that the grid covers.
        margin: room around it, as a share of its range on each side.

    Returns:
        `score` and `label` `(members, y, x)`; `point_x`, `point_y` and `target`, for each member `(points,)`.
    """
    if class_ >= runs.network.outputs:
        last = runs.network.outputs - 1
        raise Problem("out-of-range", f"there is no class {class_}: classes are 0 to {last}")
    x, y = ([_ticks(data, on, axis, resolution, margin) for data in runs.data] for axis in (0, 1))
    probabilities = _probabilities(runs, x, y).reshape(runs.members, -1, resolution, resolution)
    return {
        "score": probabilities[:, class_].numpy(),
        "label": probabilities.argmax(1).numpy(),
        **_points(runs.data, class_),
        "x": x,
        "y": y,
    }


def _ticks(data: Dataset, on: str, axis: int, resolution: int, margin: float) -> np.ndarray:
    values = data.split(on).inputs[:, axis].double()
    low, high = float(values.min()), float(values.max())
    span = (high - low) or 1.0
    grain = 10.0 ** (math.floor(math.log10(span)) - 1)
    low = math.floor((low - margin * span) / grain) * grain
    high = math.ceil((high + margin * span) / grain) * grain
    # Rounded so that equal grids have equal labels, to the bit.
    return np.round(np.linspace(low, high, resolution), 12)


def _points(data: tuple[Dataset, ...], class_: int) -> dict[str, list[np.ndarray]]:
    """Of each member as many as it was trained on."""
    trained_on = [one.split("fit") for one in data]
    places = [split.inputs.double().numpy() for split in trained_on]
    return {
        "point_x": [one[:, 0] for one in places],
        "point_y": [one[:, 1] for one in places],
        "target": [(split.targets == class_).double().numpy() for split in trained_on],
    }


@torch.no_grad()
def _probabilities(runs: Runs, x: list[np.ndarray], y: list[np.ndarray]) -> Tensor:
    """`(members, classes, points)`, points row by row."""
    grids = [
        np.stack(np.meshgrid(one, other), axis=-1).reshape(-1, 2) for one, other in zip(x, y, strict=True)
    ]
    inputs = torch.from_numpy(np.stack(grids)).to(
        runs.device, next(iter(runs.state.parameters.values())).dtype
    )
    return runs.outputs(inputs).double().softmax(1).cpu()
