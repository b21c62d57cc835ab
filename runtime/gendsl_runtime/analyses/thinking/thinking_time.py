"""Accuracy against the time a network thinks."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from gendsl_runtime.component import Count, SplitName, analysis
from gendsl_runtime.measures.thoughts import judged, thinking
from gendsl_runtime.runs import Runs


@analysis(
    version=2,
    needs="labelling",
    gives={
        "accuracy": "1 [iteration]",
        "place_accuracy": "1 [iteration]",
        "final": "1",
        "best": "1",
        "overthinking": "1",
    },
    shares=["accuracy", "place_accuracy", "final", "best"],
    differences=["overthinking"],
    axes={"iteration": "iterations of the block, from 1"},
    paper=["schwarzschild2021learn", "bansal2022endtoend"],
)
def thinking_time(
    runs: Runs, *, iterations: Count = 50, on: SplitName = "test"
) -> dict[str, Tensor | np.ndarray]:
    """How right a network is after each iteration of its block, also beyond those it was trained with.

    `accuracy`: share of the examples of which every place that is asked about is right; `place_accuracy`: share of the
    places asked about. `final` and `best` are the accuracy after the last iteration and the highest of all;
    `overthinking = best - final` is what is lost by thinking on (Bansal et al. 2022). Examples may be larger than those
    trained on. A memory that grows without bounds answers nothing, and is wrong. Exact counts, evaluation mode.

    Args:
        iterations: how many.
        on: the split.

    Raises:
        Problem: the network has no block that can be iterated, or not so often.
    """
    network = thinking(runs, iterations)
    right, places, asked = (torch.zeros(()) for _ in range(3))
    for inputs, targets in runs.chunks(on):
        with torch.no_grad():
            states = network.thoughts(runs.state.parameters, network.seen(inputs), iterations=iterations)
            counts = [judged(network.answer(runs.state.parameters, state), targets) for state in states]
        found = torch.stack([torch.stack([one.examples, one.places]) for one in counts], 2)
        right, places, asked = right + found[0], places + found[1], asked + counts[0].asked
    accuracy = right / runs.split(on)[0].shape[1]
    best, final = accuracy.amax(1), accuracy[:, -1]
    return {
        "accuracy": accuracy,
        "place_accuracy": places / asked[:, None],
        "final": final,
        "best": best,
        "overthinking": best - final,
        "iteration": np.arange(1, iterations + 1),
    }
