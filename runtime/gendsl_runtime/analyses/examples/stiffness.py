"""Stiffness."""

from __future__ import annotations

import numpy as np

from gendsl_runtime.component import Count, SplitName, analysis
from gendsl_runtime.measures.gradients import gram
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import CACHE, Runs


@analysis(
    version=1,
    needs="classification",
    gives={
        "cosine": "1",
        "sign": "1",
        "cosine_within": "1",
        "sign_within": "1",
        "cosine_between": "1",
        "sign_between": "1",
    },
    paper="fort2019stiffness",
)
def stiffness(runs: Runs, *, on: SplitName = "train", examples: Count = 500) -> dict[str, np.ndarray]:
    """Whether a small step for one example helps others, in its own class and in other classes.

    For pairs `i != j` of examples with gradients g of the training loss, `cosine` is the mean of `<g_i, g_j>
    / (|g_i| |g_j|)` and `sign` that of the sign of `<g_i, g_j>` (Fort et al. 2019, equations 4 and 5): +1
    where a step along one gradient lowers the loss of the other. `within` are pairs of one class (the mean
    over all such pairs, not over classes), `between` pairs of two.

    All pairs of the first `examples` examples of the split. An example whose gradient is 0 has no direction
    and counts as 0 in every pair. Where a kind of pair does not occur its means are NaN. Evaluation mode, no
    weight decay. Unchanged when the loss is multiplied by a positive number. Gradients in the precision of
    the parameters, products in float64.

    Args:
        on: the split, of at least two examples.
        examples: how many of its examples are compared, the first ones; the matrix of products has as many rows.
    """
    inputs, targets = (part[:, :examples] for part in runs.split(on))
    if inputs.shape[1] < 2:
        raise Problem("bad-data", "stiffness is of pairs of examples, and there is only one")
    # As many members at once as have products that fit the cache.
    step = max(1, int(CACHE // (8 * inputs.shape[1] ** 2)))
    found = []
    for first in range(0, runs.members, step):
        own = slice(first, min(first + step, runs.members))
        stack = gram(runs.select(range(own.start, own.stop)), inputs[own], targets[own]).cpu().numpy()
        found += [
            _figures(products, labels.cpu().numpy())
            for products, labels in zip(stack, targets[own], strict=True)
        ]
    return {name: np.array([figures[name] for figures in found]) for name in found[0]}


def _figures(products: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    sizes = np.sqrt(np.diagonal(products))
    scale = np.where(sizes > 0, sizes, 1.0)
    cosine = products / scale / scale[:, None]
    is_pair = ~np.eye(len(labels), dtype=bool)
    is_within = labels == labels[:, None]
    figures = {}
    for kind, chosen in (("", is_pair), ("_within", is_pair & is_within), ("_between", ~is_within)):
        for name, values in (("cosine", cosine), ("sign", np.sign(products))):
            figures[name + kind] = float(values[chosen].mean()) if chosen.any() else float("nan")
    return figures
