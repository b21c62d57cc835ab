"""What every measure costs: one small network, and 32 of them in one stack.

    python benchmarks/measures.py
    python benchmarks/measures.py --only cka --only hessian_top

CPU seconds on 500 digits, an MLP 64-32-10 trained for 5 epochs, parameters at their defaults. The baseline is a single
run of the same measure in the same process; the ratio says how many of those a stack of 32 costs. Measures of which one
run takes longer than `--longest` seconds are not stacked.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import torch

from gendsl_runtime import components
from gendsl_runtime.datasets.sklearn_digits import sklearn_digits
from gendsl_runtime.losses.cross_entropy import cross_entropy
from gendsl_runtime.models.mlp import mlp
from gendsl_runtime.network import joined
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Groups, Runs

MEMBERS = 32
MET = {"classification", "labels", "numbers"}
"""What these runs offer to measures that need something."""


def trained(members: int) -> tuple[Runs, Runs]:
    """Networks after 5 epochs of gradient descent with momentum, and at their start."""
    data, network, seeds = (
        sklearn_digits(train=500, test=200),
        mlp((1, 8, 8), 10, hidden=[32]),
        range(members),
    )
    state = network.init(list(seeds))

    def loss(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return cross_entropy(outputs, targets, label_smoothing=None)

    start = Runs(network, state, (data,) * members, tuple(seeds), loss)
    values = {name: value.clone() for name, value in state.parameters.items()}
    moments = {name: torch.zeros_like(value) for name, value in values.items()}
    inputs, targets = start.split("train")
    for step in range(50):
        part = slice(step % 10 * 50, step % 10 * 50 + 50)
        leaves = {name: value.requires_grad_() for name, value in values.items()}
        total = start.losses(inputs[:, part], targets[:, part], leaves).mean(1).sum()
        slopes = torch.autograd.grad(total, list(leaves.values()))
        with torch.no_grad():
            for (name, value), slope in zip(values.items(), slopes, strict=True):
                moments[name].mul_(0.9).add_(slope)
                values[name] = value.detach() - 0.1 * moments[name]
    ended = {name: value.detach() for name, value in values.items()}
    return replace(start, state=replace(state, parameters=ended)), start


def call(name: str, runs: Runs, start: Runs) -> Callable[[], Mapping[str, Any]]:
    """One measure on a stack, ready to be called."""
    known = components.catalogue().components["analysis", name]
    given: dict[str, Any] = {}
    for parameter in known.parameters.values():
        if parameter.type.name == "Runs":
            given[parameter.python] = start if given else runs
        elif parameter.type.name == "Groups":
            pairs = [
                replace(one, data=one.data * 2, seeds=one.seeds * 2, state=joined([one.state, other.state]))
                for one, other in ((runs.select([i]), start.select([i])) for i in range(runs.members))
            ]
            given[parameter.python] = Groups(tuple(pairs), (0, 1))
        elif parameter.type.name == "AxisName":
            given[parameter.python] = "epoch"
        elif parameter.required and parameter.type.name == "SplitName":
            given[parameter.python] = "train"
    function = components.load("analysis", name)
    return lambda: function(**given)


def seconds(function: Callable[[], object]) -> float:
    begin = time.process_time()
    function()
    return time.process_time() - begin


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", action="append", metavar="NAME")
    parser.add_argument("--longest", type=float, default=1.0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    runs, start = trained(MEMBERS)
    one, first = runs.select([0]), start.select([0])
    print(f"{'family':16}{'measure':26}{'one, s':>9}{f'{MEMBERS}, s':>9}{'ratio':>8}")
    for family, names in components.families("analysis").items():
        for name in names:
            needs = set(components.catalogue().components["analysis", name].needs)
            if (arguments.only and name not in arguments.only) or not needs <= MET:
                continue
            row = f"{family:16}{name:26}"
            try:
                single = call(name, one, first)
                single()
                alone = min(seconds(single) for _ in range(3))
                if alone > arguments.longest:
                    print(f"{row}{alone:9.3f}{'-':>9}{'-':>8}", flush=True)
                    continue
                together = seconds(call(name, runs, start))
                print(f"{row}{alone:9.3f}{together:9.3f}{together / alone:8.1f}", flush=True)
            except Problem as problem:
                print(f"{row} {problem.message[:70]}", flush=True)


if __name__ == "__main__":
    main()
