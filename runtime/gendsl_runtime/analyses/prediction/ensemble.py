"""Ensembles of runs."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor

from gendsl_runtime.component import AxisName, SplitName, analysis
from gendsl_runtime.measures.prediction import same_examples
from gendsl_runtime.runs import Groups, Runs


@analysis(
    version=1,
    needs="classification",
    gives={
        "error": "1",
        "nll": "nats",
        "brier": "1",
        "mean_error": "1",
        "mean_nll": "nats",
        "mean_brier": "1",
        "ambiguity": "nats",
    },
    shares=["error", "mean_error"],
    paper=["lakshminarayanan2017simple", "krogh1995neural"],
)
def ensemble(
    groups: Groups,
    *,
    over: AxisName,
    on: SplitName = "test",
    average: Literal["probabilities", "logits"] = "probabilities",
) -> dict[str, np.ndarray]:
    """Error, negative log-likelihood and Brier score of several runs' averaged predictions.

    `p(c | x) = (1/K) sum_k softmax(f_k(x))_c` over K runs (Lakshminarayanan et al. 2017), or with
    `average=logits` the softmax of their mean outputs, a geometric mean of probabilities. `nll` is the mean of
    `-log p(y | x)`, `brier` the mean of `sum_c (p_c - [c = y])^2`. The runs' own mean `mean_error`, `mean_nll`
    and `mean_brier` stand beside them, and `ambiguity = mean_nll - nll`, what averaging gains: by Jensen's
    inequality never negative (Krogh and Vedelsby 1995).

    Outputs in evaluation mode (running statistics of normalisation, no dropout); logarithms and averages in
    float64. Errors count the first of equal probabilities. With `over=seed` the result is one number without
    replicates: claims need an axis of its own for the members (see docs/language.md).

    Args:
        over: the axis whose runs are averaged.
        on: the split; it must have the same examples in all of them.
        average: what is averaged.
    """
    found = [_scores(runs, on, average) for runs in groups.runs]
    return {name: np.array([scores[name] for scores in found]) for name in found[0]}


@torch.no_grad()
def _scores(runs: Runs, on: str, average: str) -> dict[str, float]:
    same_examples(runs, on)
    own, joint = [], []
    for inputs, targets in runs.chunks(on):
        outputs = runs.outputs(inputs).double()
        logs = outputs.log_softmax(1)
        mean = (
            outputs.mean(0).log_softmax(0)
            if average == "logits"
            else logs.logsumexp(0) - np.log(runs.members)
        )
        own.append(_each(logs, targets))
        joint.append(_each(mean[None], targets[:1]))
    names = ("error", "nll", "brier")
    whole, each = (torch.cat(parts, dim=2).mean((1, 2)).tolist() for parts in (joint, own))
    scores = dict(zip(names, whole, strict=True))
    scores |= {f"mean_{name}": value for name, value in zip(names, each, strict=True)}
    return {**scores, "ambiguity": scores["mean_nll"] - scores["nll"]}


def _each(logs: Tensor, targets: Tensor) -> Tensor:
    """Error, negative log-likelihood and Brier score of each prediction: `(M, C, N)` to `(3, M, N)`."""
    right = logs.gather(1, targets[:, None])[:, 0]
    probabilities = logs.exp()
    brier = probabilities.square().sum(1) - 2 * right.exp() + 1
    return torch.stack([(logs.max(1).indices != targets).double(), -right, brier])
