"""Disagreement between runs."""

from __future__ import annotations

import numpy as np
import torch

from gendsl_runtime.component import AxisName, SplitName, analysis
from gendsl_runtime.measures.prediction import same_examples
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Groups, Runs


@analysis(
    version=1,
    needs="classification",
    gives={
        "rate": "1",
        "error": "1",
        "pair": "1 [first, second]",
    },
    shares=["rate", "error", "pair"],
    axes={
        "first": "one run, by its label along `over`",
        "second": "another run, by its label along `over`",
    },
    paper="jiang2022assessing",
)
def disagreement(groups: Groups, *, over: AxisName, on: SplitName = "test") -> dict[str, np.ndarray]:
    """How often runs give different classes to the same example.

    `pair(a, b) = (1/N) sum_i [class_a(x_i) != class_b(x_i)]` over the N examples of a split, labels not used;
    `rate` is its mean over the K (K - 1) / 2 pairs of different runs. For networks trained alike but for
    their seed, Jiang et al. (2022) find it close to the test `error`, the mean of the runs' own, which stands
    beside it; they are equal in expectation where the ensemble is class-wise calibrated.

    Exact counts, in evaluation mode (running statistics of normalisation, no dropout). Of equal outputs the
    first class counts.

    Args:
        over: the axis whose runs are compared.
        on: the split; it must have the same examples in all of them.

    Returns:
        `rate`, `error`; `pair` `(first, second)`, symmetric with 0 on its diagonal.
    """
    found = [_pairs(runs, over, on) for runs in groups.runs]
    pairs = np.stack([pair for pair, _ in found])
    count = pairs.shape[1]
    return {
        "rate": pairs.sum(axis=(1, 2)) / (count * (count - 1)),
        "error": np.array([error for _, error in found]),
        "pair": pairs,
        "first": np.array(groups.labels),
        "second": np.array(groups.labels),
    }


@torch.no_grad()
def _pairs(runs: Runs, over: str, on: str) -> tuple[np.ndarray, float]:
    """Disagreement of every pair of members `(K, K)`, and the mean error."""
    if runs.members < 2:
        raise Problem("out-of-range", f"`disagreement` compares runs, and there is one along `{over}`")
    same_examples(runs, on)
    classes = torch.cat([runs.outputs(inputs).argmax(1) for inputs, _ in runs.chunks(on)], dim=1)
    pairs = (classes[:, None] != classes[None]).double().mean(2)
    return pairs.cpu().numpy(), float(runs.error(on).mean())
