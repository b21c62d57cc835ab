"""Pictures of a network that thinks."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from gendsl_runtime.component import Count, Natural, SplitName, analysis
from gendsl_runtime.measures.thoughts import thinking
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Runs


@analysis(
    version=2,
    needs="labelling",
    gives={
        "score": "1 [iteration, example, y, x]",
        "truth": "1 [example, y, x]",
        "input": "1 [example, y, x]",
    },
    shares=["score"],
    axes={
        "iteration": "iterations of the block, from 1",
        "example": "place of the example in its split",
        "y": "row",
        "x": "column",
    },
    paper="bansal2022endtoend",
)
def thoughts(
    runs: Runs,
    *,
    iterations: Count = 30,
    every: Count = 1,
    examples: Count = 4,
    of: Natural = 1,
    on: SplitName = "test",
) -> dict[str, Tensor | np.ndarray]:
    """What a network thinks of each place after each iteration, for pictures with a slider.

    `score = softmax(H(h_t))_c`, the probability of class c = `of` at each place; a sequence is one row. `truth` is 1
    where the label is c and 0 where it is another; both are NaN where nothing is asked. `input` is the sum of the
    input's channels, each times its place counted from 1, so that markers differ from what they stand on.

    Args:
        iterations: how many.
        every: tell every so-many-th iteration only; the last is told too.
        examples: the first so many of the split.
        of: the class.
        on: the split.

    Raises:
        Problem: the network has no block that can be iterated, or not so often; there is no such class.
    """
    network = thinking(runs, iterations)
    if of >= network.outputs:
        raise Problem(
            "out-of-range",
            f"there is no class {of}: the network tells {network.outputs} apart, numbered from 0",
            help=f"of={network.outputs - 1}",
        )
    inputs, targets = (part[:, :examples] for part in runs.split(on))
    seen, told, scores = network.seen(inputs), [], []
    height, width = seen.shape[2:4]
    with torch.no_grad():
        states = network.thoughts(runs.state.parameters, seen, iterations=iterations)
        for turn, state in enumerate(states, 1):
            if turn % every == 0 or turn == iterations:
                share = network.answer(runs.state.parameters, state).double().softmax(1)[:, of]
                scores.append(share.movedim(-1, 1).reshape(runs.members, -1, height, width))
                told.append(turn)
    labels = targets.reshape(runs.members, -1, height, width)
    is_asked = (labels >= 0)[:, None]
    weights = torch.arange(1, seen.shape[1] + 1, dtype=torch.float64).reshape(1, -1, 1, 1, 1)
    return {
        "score": torch.where(is_asked, torch.stack(scores, 1), torch.nan),
        "truth": torch.where(labels >= 0, (labels == of).double(), torch.nan),
        "input": (seen.double() * weights).sum(1).movedim(-1, 1),
        "iteration": np.array(told),
        "y": np.arange(height),
        "x": np.arange(width),
    }
