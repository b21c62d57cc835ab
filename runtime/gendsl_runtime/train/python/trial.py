"""Trying a user's module on a few examples, before it is trained: what the engine would get wrong is refused.

The engine keeps values apart from the module and calls it with those of one member after the other. Three
things can go wrong without a word: the call does not use the values it is given, something is carried from
one call to the next, or chance comes from elsewhere than the generators that are seeded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from gendsl.spec import Code
from gendsl_runtime.network import Tensors
from gendsl_runtime.problem import Problem
from gendsl_runtime.python import generators, running, seeded
from gendsl_runtime.train.python.module import Build, ModuleNetwork, called, check, fresh, stream, values

EXAMPLES = 4
"""Examples of a trial."""
AGREEMENT = 1e-5
"""Largest difference of a call with given values from a plain one, in shares of the largest value: the same
operations, but memory may lie otherwise."""


@dataclass(frozen=True)
class Tried:
    """One call in training: outputs, gradients of a fixed weighting of them, and values afterwards."""

    outputs: Tensor
    gradients: Mapping[str, Tensor | None]
    after: Tensors
    has_drawn: bool
    """Whether it took numbers from a global generator."""


def network(
    build: Build, code: Code, *, shape: tuple[int, ...], outputs: int, inputs: Tensor
) -> ModuleNetwork:
    """The network of a module that passes; `inputs` are examples `(n, *shape)` of what it will be trained on.

    Raises:
        Problem: `not-reproducible`, `not-stateless`, `wrong-shape`, `component-failed`.
    """
    inputs = inputs[:EXAMPLES].clone()
    with running(code, code.name):
        one, skeleton = _built(build, code)
        start = values(one)
        tried = _call(one, None, inputs, (len(inputs), outputs), code)
        learnt = frozenset(name for name, value in tried.gradients.items() if value is not None)
        if not learnt:
            raise Problem(
                "component-failed", f"`{code.name}` has nothing to learn: no output depends on a parameter"
            )
        _same_when_given(code, skeleton, start, tried, inputs, outputs)
        _quiet_in_evaluation(code, skeleton, start, inputs, outputs)
    return ModuleNetwork(
        shape=shape,
        outputs=outputs,
        is_noisy=tried.has_drawn,
        module=skeleton,
        build=build,
        learnt=learnt,
        kinds={name: value.dtype for name, value in start.items() if not value.is_floating_point()},
        code=code,
    )


def _built(build: Build, code: Code) -> tuple[nn.Module, nn.Module]:
    """A module as the seed 0 starts it, and one of another seed, whose values are never used."""
    one, again, other = fresh(build, 0), fresh(build, 0), fresh(build, 1)
    for name, value in (*one.named_parameters(), *one.named_buffers()):
        if is_lazy(value):
            raise Problem(
                "component-failed",
                f"`{code.name}` has weights of unknown size: `{name}`",
                help="give the sizes: `inputs`, `shape` and `outputs` are handed to the constructor",
            )
    if not _equal(values(one), values(again)):
        raise Problem(
            "not-reproducible",
            f"`{code.name}` starts from other weights each time, with the same seed",
            help="draw from the global generators of torch, NumPy or Python, which are seeded for each run",
        )
    if _shapes(one) != _shapes(other):
        raise Problem("component-failed", f"`{code.name}` has weights of other shapes with another seed")
    return one, other


def _same_when_given(
    code: Code, skeleton: nn.Module, start: Tensors, plain: Tried, inputs: Tensor, outputs: int
) -> None:
    """Fails where a call with given values differs from a plain one, or a later call from an earlier one."""
    wanted = (len(inputs), outputs)
    before = _attributes(skeleton)
    try:
        given = _call(skeleton, start, inputs, wanted, code)
    except RuntimeError as error:
        raise _stateful(code, f"fails when it is called with given weights: {error}") from error
    _call(skeleton, values(skeleton), inputs, wanted, code)
    again = _call(skeleton, start, inputs, wanted, code)
    after = _attributes(skeleton)
    kept = [name for name in after if not _alike(before.get(name), after[name])]
    if kept:
        raise Problem(
            "not-reproducible",
            f"`{code.name}` keeps `{kept[0]}` from one call to the next",
            help="make it a buffer (`self.register_buffer`), or a local variable; of norms on weights take "
            "those of `torch.nn.utils.parametrizations`",
        )
    for name, first, second in (
        ("outputs", given.outputs, again.outputs),
        *(
            (f"the gradient of `{key}`", value, again.gradients[key])
            for key, value in given.gradients.items()
        ),
    ):
        if not _alike(first, second):
            raise Problem(
                "not-reproducible",
                f"{name} of `{code.name}` differ between two calls with the same weights and examples"
                if name == "outputs"
                else f"{name} differs between two calls of `{code.name}` with the same weights and examples",
                help="draw from the global generators of torch, NumPy or Python, and keep nothing between calls",
            )
    if not _near(given.outputs, plain.outputs):
        raise _stateful(code, "gives other outputs when it is called with given weights")
    for key, value in plain.gradients.items():
        if not _near(given.gradients[key], value):
            raise _stateful(code, f"has another gradient of `{key}` when it is called with given weights")
    for key, value in plain.after.items():
        if not _near(given.after[key], value):
            raise _stateful(code, f"leaves another `{key}` when it is called with given weights")


def _quiet_in_evaluation(
    code: Code, skeleton: nn.Module, start: Tensors, inputs: Tensor, outputs: int
) -> None:
    """Fails where evaluation draws random numbers, or changes what it is called with."""
    own = {name: value.clone() for name, value in start.items()}
    before = generators()
    with torch.no_grad():
        found, after = called(skeleton, own, inputs.clone(), training=False)
    check(code.name, found, (len(inputs), outputs))
    if generators() != before:
        raise Problem(
            "not-reproducible",
            f"`{code.name}` draws random numbers in evaluation",
            help="draw only `if self.training:`",
        )
    changed = [name for name, value in start.items() if not _alike(after[name], value)]
    if changed:
        raise Problem(
            "not-reproducible",
            f"`{code.name}` changes `{changed[0]}` in evaluation",
            help="change it only `if self.training:`",
        )


def _call(
    module: nn.Module, given: Tensors | None, inputs: Tensor, wanted: tuple[int, int], code: Code
) -> Tried:
    """A call in training with given values, or with the module's own."""
    if given is None:
        leaves = {name: value for name, value in module.named_parameters() if value.requires_grad}
        own: Tensors = {}
    else:
        own = {name: value.clone() for name, value in given.items()}
        trained = {name for name, value in module.named_parameters() if value.requires_grad}
        leaves = {name: value.requires_grad_() for name, value in own.items() if name in trained}  # type: ignore[misc]
    with seeded(stream("trial")):
        before = generators()
        outputs, after = called(module, own, inputs.clone(), training=True)
        has_drawn = generators() != before
    check(code.name, outputs, wanted)
    after = (
        values(module) if given is None else {name: value.detach().clone() for name, value in after.items()}
    )
    weights = torch.linspace(-1.0, 1.0, outputs.numel(), dtype=outputs.dtype).view_as(outputs)
    has_path = outputs.requires_grad and leaves
    found = (
        torch.autograd.grad(outputs, list(leaves.values()), weights, allow_unused=True) if has_path else ()
    )
    gradients = dict(zip(leaves, found)) if has_path else dict.fromkeys(leaves)
    return Tried(outputs.detach().clone(), gradients, after, has_drawn)


def _attributes(module: nn.Module) -> dict[str, Any]:
    """Copies of everything a module and its parts keep beside parameters and buffers, by dotted name."""
    return {
        f"{prefix}.{name}" if prefix else name: _copy(value)
        for prefix, part in module.named_modules()
        for name, value in vars(part).items()
        if name not in ("_parameters", "_buffers", "_modules", "training")
    }


def _copy(value: Any) -> Any:
    match value:
        case Tensor():
            return value.detach().clone()
        case np.ndarray():
            return value.copy()
        case list() | tuple():
            return [_copy(item) for item in value]
        case dict():
            return {key: _copy(item) for key, item in value.items()}
        case set():
            return set(value)
    return value


def _alike(one: Any, other: Any) -> bool:
    """Whether two values are the same to the bit, or the same object."""
    match one, other:
        case Tensor(), Tensor():
            return one.shape == other.shape and torch.equal(one.nan_to_num(), other.nan_to_num())
        case np.ndarray(), np.ndarray():
            return np.array_equal(one, other)
        case list(), list():
            return len(one) == len(other) and all(map(_alike, one, other))
        case dict(), dict():
            return one.keys() == other.keys() and all(_alike(one[key], other[key]) for key in one)
        case ((int() | float() | str() | bytes() | set() | None), _):
            return type(one) is type(other) and bool(one == other)
    return one is other


def _near(one: Tensor | None, other: Tensor | None) -> bool:
    if one is None or other is None:
        return one is other
    one, other = one.detach().double(), other.detach().double()
    largest = float(other.abs().max()) if other.numel() else 0.0
    return torch.allclose(one, other, rtol=0, atol=AGREEMENT * largest + 1e-30, equal_nan=True)


def _equal(one: Tensors, other: Tensors) -> bool:
    return one.keys() == other.keys() and all(_alike(one[name], other[name]) for name in one)


def _shapes(module: nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in values(module).items()}


def _stateful(code: Code, what: str) -> Problem:
    text = " ".join(what.split())
    return Problem(
        "not-stateless",
        f"`{code.name}` {text if len(text) < 300 else text[:300] + '...'}",
        help="`gen explain not-stateless` says what does this",
    )
