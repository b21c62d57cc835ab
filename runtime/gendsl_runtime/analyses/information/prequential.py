"""Prequential code length."""

from __future__ import annotations

from math import log

import numpy as np
import torch

from gendsl_runtime.component import AxisName, analysis
from gendsl_runtime.measures.drawn import WHOLE, membership
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Groups, Runs


@analysis(
    version=1,
    needs="classification",
    gives={
        "code_length": "nats",
        "compression": "1",
        "uniform": "nats",
        "length": "nats [block]",
        "seen": "1 [block]",
        "coded": "1 [block]",
    },
    axes={"block": "place of the block in the order of coding, from 1"},
    paper="blier2018description",
)
def prequential(groups: Groups, *, over: AxisName) -> dict[str, np.ndarray]:
    """Information that the labels of a data set take if each block is coded by a network trained on those before.

    With nested training sets of `t_1 < t_2 < ... < t_K` of n examples,

        code_length = t_1 log C + sum_k sum_{i in block k} -log p_k(y_i | x_i)

    where block k is what the (k+1)-th training set adds to the k-th, and the last one the rest of the n;
    `p_k` is the softmax of the network trained on the k-th set (Blier and Ollivier 2018, equation 3). It is a
    true code of the labels given the inputs, weights included: below `uniform = n log C` a network has
    found structure. `compression` is their quotient.

    It takes a sweep of runs over data sizes, not one run: `subset(digits, share=size, seed=0)` with `share`
    swept gives nested sets, and `over` names that axis. Which examples a run has seen is known from the
    places they carry, not from the labels of the axis. What a poor first network says with false certainty
    costs much; an example whose probability rounds to 0 in float64 costs infinitely
    much. In nats; a claim may say `< 500 bits`.

    Args:
        over: the axis of data sizes.

    Returns:
        `length` of each block, how many examples its network had `seen`, and how many are `coded` in it; the
        first block is coded uniformly.
    """
    found = [_figures(runs) for runs in groups.runs]
    result = {name: np.stack([figures[name] for figures in found]) for name in found[0]}
    return {**result, "block": np.arange(1, result["length"].shape[1] + 1)}


def _figures(runs: Runs) -> dict[str, np.ndarray]:
    is_in = membership(runs, measure="prequential")
    order = np.argsort(is_in.sum(1), kind="stable")
    is_in = is_in[order]
    if (is_in[:-1] & ~is_in[1:]).any():
        raise Problem(
            "bad-data",
            "`prequential` needs training sets of which each holds every smaller one",
            help="sweep the `share` of `subset`, with one `seed` for all",
        )
    costs = _costs(runs)[order]
    after = np.concatenate([is_in[1:], np.ones((1, is_in.shape[1]), dtype=bool)])
    blocks = after & ~is_in
    unit = log(runs.network.outputs)
    lengths = np.array([cost[block].sum() for cost, block in zip(costs, blocks, strict=True)])
    lengths = np.concatenate([[is_in[0].sum() * unit], lengths])
    uniform = is_in.shape[1] * unit
    return {
        "code_length": np.array(lengths.sum()),
        "compression": np.array(lengths.sum() / uniform if uniform > 0 else 1.0),
        "uniform": np.array(uniform),
        "length": lengths,
        "seen": np.concatenate([[0], is_in.sum(1)]),
        "coded": np.concatenate([[is_in[0].sum()], blocks.sum(1)]),
    }


@torch.no_grad()
def _costs(runs: Runs) -> np.ndarray:
    """`-log p(y|x)` of each run and example of the whole, `(runs, examples)`."""
    found = []
    for inputs, targets in runs.chunks(WHOLE):
        logs = runs.outputs(inputs).double().log_softmax(1)
        found.append(-logs.gather(1, targets.unsqueeze(1))[:, 0])
    costs: np.ndarray = torch.cat(found, dim=1).cpu().numpy()
    return costs
