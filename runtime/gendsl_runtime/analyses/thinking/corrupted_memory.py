"""Recovery from a corrupted memory."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor

from gendsl_runtime.component import Count, Positive, SplitName, analysis
from gendsl_runtime.measures.thoughts import judged, thinking
from gendsl_runtime.problem import Problem
from gendsl_runtime.random import generator
from gendsl_runtime.runs import Runs
from gendsl_runtime.train.thinking import Thinking, last


@analysis(
    version=2,
    needs="labelling",
    gives={
        "accuracy": "1 [iteration]",
        "before": "1",
        "after": "1",
        "final": "1",
        "recovery": "1",
        "recovery_time": "1",
    },
    shares=["accuracy", "before", "after", "final"],
    axes={"iteration": "iterations since the memory was corrupted, from 0"},
    paper="bansal2022endtoend",
)
def corrupted_memory(
    runs: Runs,
    *,
    kind: Literal["replace", "noise", "swap"] = "replace",
    scale: Positive = 1.0,
    at: Count = 50,
    iterations: Count = 50,
    on: SplitName = "test",
) -> dict[str, Tensor | np.ndarray]:
    """Whether a network finds its answer again after its memory was overwritten in the middle of thinking.

    The memory h after `at` iterations is corrupted: `replace`, by the modulus of Gaussian noise of `scale` times the
    member's standard deviation of h (over all examples and places; h is not negative); `noise`, by adding such noise;
    `swap`, by the memory of the next example. Then thinking goes on. `accuracy` (every place that is asked about) is
    told right after (iteration 0) and after each further iteration; `before` just before, `after` = iteration 0,
    `final` the last; `recovery = final / before`, NaN where `before` is 0; `recovery_time` the first iteration at which
    accuracy is at least 95 % of `before`, infinite where that never comes. Noise is drawn from a stream of the run's
    seed (Bansal et al. 2022, section 5, corrupt with Gaussian noise).

    Args:
        kind: `replace`, `noise` or `swap`.
        scale: size of the noise, in standard deviations of the memory.
        at: iterations before.
        iterations: iterations after.
        on: the split.

    Raises:
        Problem: the network has no block that can be iterated, or not so often; there is one example to swap.
    """
    network = thinking(runs, at + iterations)
    inputs, targets = runs.split(on)
    examples = targets.shape[1]
    if kind == "swap" and examples < 2:
        raise Problem(
            "out-of-range",
            f"`swap` exchanges the memories of examples, and the split `{on}` has one alone",
            help="give the dataset more examples, or write `kind=replace`",
        )
    parameters, seen = runs.state.parameters, network.seen(inputs)
    with torch.no_grad():
        memory = last(network.thoughts(parameters, seen, iterations=at))
        before = judged(network.answer(parameters, memory), targets).examples
        start = _corrupted(memory, kind, scale, runs.seeds)
        counts = [judged(network.answer(parameters, start), targets).examples]
        counts += _counts(network, runs, seen, targets, start, at, iterations)
    right = torch.stack(counts, 1)
    accuracy, base = right / examples, before / examples
    back = is_back(right, before[:, None])
    first = torch.where(back.any(1), back.double().argmax(1).double(), torch.inf)
    return {
        "accuracy": accuracy,
        "before": base,
        "after": accuracy[:, 0],
        "final": accuracy[:, -1],
        "recovery": torch.where(base > 0, accuracy[:, -1] / base, torch.nan),
        "recovery_time": torch.where(base > 0, first, torch.nan),
        "iteration": np.arange(iterations + 1),
    }


def is_back(right: Tensor, before: Tensor) -> Tensor:
    """Whether so many right examples are 95 % of those before; in whole numbers, as 0.95 has no exact binary form."""
    return 20 * right >= 19 * before


def _counts(
    network: Thinking, runs: Runs, seen: Tensor, targets: Tensor, start: Tensor, at: int, iterations: int
) -> list[Tensor]:
    """Examples that are right after each iteration from `start`."""
    parameters = runs.state.parameters
    states = network.thoughts(parameters, seen, iterations=iterations, start=start, behind=at)
    return [judged(network.answer(parameters, state), targets).examples for state in states]


def _corrupted(memory: Tensor, kind: str, scale: float, seeds: tuple[int, ...]) -> Tensor:
    if kind == "swap":
        return memory.roll(1, dims=-1)
    found = []
    for own, seed in zip(memory, seeds, strict=True):
        stream = generator("corrupted_memory", seed)
        drawn = torch.from_numpy(stream.standard_normal(tuple(own.shape), dtype=np.float32)).to(own)
        noise = drawn * (scale * own.double().std()).to(own)
        found.append(noise.abs() if kind == "replace" else own + noise)
    return torch.stack(found)
