"""What is common to measures that compare two runs."""

from __future__ import annotations

import torch

from gendsl_runtime.network import Tensors
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Runs
from gendsl_runtime.train.layers.layer import Layered


def same_parameters(runs: Runs, other: Runs, what: str) -> None:
    """Refuses two runs of different networks: there is no way from one to the other."""
    shapes, others = (
        {name: tuple(value.shape[1:]) for name, value in one.state.parameters.items()}
        for one in (runs, other)
    )
    differing = [name for name in {**shapes, **others} if shapes.get(name) != others.get(name)]
    if differing:
        name = differing[0]
        raise Problem(
            "different-networks",
            f"`{what}` compares runs of one architecture, and `{name}` is {_said(shapes.get(name))} in one and "
            f"{_said(others.get(name))} in the other",
            help="compare runs of one model",
        )
    is_known = isinstance(runs.network, Layered) and isinstance(other.network, Layered)
    if is_known and runs.network != other.network:
        raise Problem(
            "different-networks",
            f"`{what}` compares runs of one architecture, and these have equal weights in different layers",
            help="compare runs of one model",
        )


def apart(w: Tensors, v: Tensors) -> float:
    """Euclidean distance between all parameters of two networks, stacks of one; float64."""
    squares = [(value.double() - v[name].double()).square().sum() for name, value in w.items()]
    return float(torch.stack(squares).sum().sqrt())


def _said(shape: tuple[int, ...] | None) -> str:
    return "absent" if shape is None else " x ".join(map(str, shape)) or "a number"
