"""What may stand in a prior: weights that were fixed before the examples of a bound were seen."""

from __future__ import annotations

import torch
from torch import Tensor

from gendsl_runtime.measures import vectors
from gendsl_runtime.network import State, Tensors
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Runs


def fresh(runs: Runs) -> State:
    """The members as they were before they saw any data, in the precision of the stack."""
    like = next(iter(runs.state.parameters.values()))
    return runs.network.init(runs.seeds).to(like.device, like.dtype)


def weights(runs: Runs) -> Tensor:
    """All parameters `(members, size)`, float64."""
    return vectors.flat(runs.state.parameters).double()


def same(first: Tensors, second: Tensors) -> bool:
    """Whether all members of two stacks agree to the bit."""
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def no_data_in_buffers(runs: Runs, *, other: Runs | None, on: str, measure: str) -> None:
    """Refuses networks whose buffers learnt from the examples of the bound (running statistics): no prior covers them.

    Buffers that are as they were drawn are fine, and so are those that `other` holds in its parameters or buffers,
    where `other` saw none of these examples.
    """
    known = dict(fresh(runs).buffers)
    sources = {} if other is None else {**other.state.buffers, **other.state.parameters}
    unknown = []
    for name, value in runs.state.buffers.items():
        source = sources.get(name, sources.get(name.removeprefix("start.")))
        is_given = source is not None and torch.equal(source, value)
        if not is_given and not torch.equal(known[name], value):
            unknown.append(name)
    if unknown:
        raise Problem(
            "data-in-prior",
            f"`{measure}` has no prior for `{unknown[0]}`, which is neither as it was drawn nor that of `other`",
            help="use a network without batch normalisation; where the run has `init = run`, write `other=run`",
        )
    if other is not None:
        disjoint(runs, other=other, on=on, measure=measure)


def disjoint(runs: Runs, *, other: Runs, on: str, measure: str) -> None:
    """Refuses a prior from runs that were trained on examples of the split a bound is for.

    A run whose weights are as they were drawn has seen nothing. Two examples are the same where all numbers of
    input and target are.
    """
    if same(other.state.parameters, fresh(other).parameters):
        return
    for member in range(runs.members):
        mine, theirs = _rows(runs, member, on), _rows(other, member, "fit")
        shared = len(mine & theirs)
        if shared:
            raise Problem(
                "data-in-prior",
                f"{shared} of {len(mine)} examples of `{on}` are among those the prior of `{measure}` was trained on",
                help="train the prior on one part of the data and bound the risk on another: `on = ...`",
            )


def _rows(runs: Runs, member: int, split: str) -> frozenset[bytes]:
    """The examples of a member's split as bytes."""
    found = runs.data[member].split(split)
    inputs = found.inputs.flatten(1).contiguous().numpy()
    targets = found.targets.reshape(len(inputs), -1).contiguous().numpy()
    return frozenset(x.tobytes() + y.tobytes() for x, y in zip(inputs, targets, strict=True))


def delta(confidence: float) -> float:
    """The chance with which a bound may fail."""
    if not 0 < confidence < 1:
        raise Problem(
            "out-of-range",
            f"no bound holds with a confidence of {confidence:g}",
            help="write one between 0 and 1, such as `confidence = 95%`",
        )
    return 1 - confidence
