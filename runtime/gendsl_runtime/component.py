"""How a component is written: one decorated function in one file named after it.

The decorators only mark; they register nothing. The language reads the decorated signature and the docstring
statically (`gendsl.catalogue`), so decorator arguments are literals. Keyword-only parameters, and positional ones
annotated with a type below, are parameters of the spec; other positional parameters are handed in by the engine.
A trailing underscore is dropped in specs (`from_` is `from`).

`version` is raised whenever results change; code of the user's own is known by its fingerprint and needs none.
A parameter that is added later declares the value under which everything stays as it was, `neutral={"norm": "none"}`:
keys leave it out while it has that value, so older results stay valid.

Annotations that the language knows, besides `Literal[...]` (bare choices), `list[T]` and `T | None`:
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

if TYPE_CHECKING:
    from torch import Tensor
else:
    Tensor = Any  # the language and the terminal need no torch

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")

# Numbers. `Annotated[Positive, "px"]` gives a unit.
Count: TypeAlias = int
"""An integer, at least 1."""
Natural: TypeAlias = int
"""An integer, at least 0."""
Integer: TypeAlias = int
Seed: TypeAlias = int
"""A random seed, at least 0. `seed = seed` makes a component follow the replicates."""
Real: TypeAlias = float
Positive: TypeAlias = float
NonNegative: TypeAlias = float
Share: TypeAlias = float
"""A number from 0 to 1; `20%` is 0.2."""
Flag: TypeAlias = bool
Text: TypeAlias = str

# References into the experiment.
SplitName: TypeAlias = str
"""A split of the dataset at hand: `train`, `test`, `held_back`."""
AxisName: TypeAlias = str
InputFile: TypeAlias = Path
Scores: TypeAlias = Tensor
"""One number for each training example, from an analysis: `(examples,)`."""
Values: TypeAlias = Any
"""A result expression: quantities of analyses, axes, arithmetic (statistics and plots only)."""

# What a training is made of. A form gets these as `spec.Component`s; the engine builds them from there: a model as a
# `Network`, a loss as a function, a schedule as its table of factors `(members, steps)` (inside another schedule, as
# a function of the steps).
Model: TypeAlias = Any
Optimizer: TypeAlias = Any
Loss: TypeAlias = Any
Schedule: TypeAlias = Any
Length: TypeAlias = Any
"""A `gendsl_runtime.length.Length`: `300 epochs` or `2000 steps`."""
Epochs: TypeAlias = Any
"""A `Length` in epochs, at least 0."""
Steps: TypeAlias = Any
"""A `Length` in steps, at least 0."""
Stop: TypeAlias = Any
"""Metric, comparison and bound, `train_error == 0%`: `(str, str, float)`; a tuple of such where several must hold,
`train_error == 0% and train_loss < 0.5`."""

# Hyper-parameters that may differ inside a stack: the engine hands them over as a tensor `(members,)`. Any other
# parameter is part of the static key: members that differ in it are trained in different stacks.
if TYPE_CHECKING:

    class PerMember(Tensor, Generic[T]):
        """A tensor `(members,)` of hyper-parameters of type `T`."""

else:

    class PerMember(Generic[T]):
        """A tensor `(members,)` of hyper-parameters of type `T`."""


def _mark(kind: str, **facts: object) -> Callable[[F], F]:
    def mark(function: F) -> F:
        function.__gendsl__ = {"kind": kind, **facts}  # type: ignore[attr-defined]
        return function

    return mark


def dataset(
    *,
    version: int = 0,
    task: str | None = None,
    shape: Sequence[int | str | None] | None = None,
    outputs: int | str | None = None,
    splits: Mapping[str, int | str | None] | None = None,
    like: str | None = None,
    inputs: str | None = None,
    needs: str | Sequence[str] = (),
    neutral: Mapping[str, Any] | None = None,
    paper: str | Sequence[str] = (),
) -> Callable[[F], F]:
    """A dataset or a transformation of one: `f(**parameters) -> Dataset`.

    What is known statically: `task` (`classification`, `labelling`, `regression`), `shape` of one example (channels
    first), `outputs` (classes, or target dimensions; `"shape"` is as many as an example has numbers), `splits` with
    their sizes. A string is the name of a parameter that holds the fact (or a task); None is unknown before the run.
    `like` names the parameter whose dataset has the same facts, `splits` then replaces or adds (`"*": None` is for all
    others, where their sizes change), and a side None of
    `shape` is as it was. `inputs` is
    `numbers`, where nothing is said, or `tokens`: sequences of whole numbers of shape `(steps,)`; it may name a
    parameter with which inputs are tokens, and without which they are numbers. `needs` lists what a transformation
    needs of the dataset it is given: `numbers`, `image` (inputs of three sides, channels first).
    """
    return _mark("dataset", task=task, shape=shape, outputs=outputs, splits=splits, like=like, inputs=inputs)


def model(
    *,
    version: int = 0,
    takes: str = "any",
    smallest: int = 1,
    answers: str = "examples",
    neutral: Mapping[str, Any] | None = None,
    paper: str | Sequence[str] = (),
) -> Callable[[F], F]:
    """A model: `f(shape, outputs, **parameters) -> Network`.

    `takes` is `any` (numbers, which are flattened), `vector`, `image` (channels, height, width; both sides at least
    `smallest` pixels) or `sequence` (tokens, steps of numbers, or images row by row). A model that takes tokens has
    a third positional parameter `vocabulary`, which is None for numbers. `answers` is `examples`, or `places` for a
    model that says something about each place of an example (a labelling): outputs `(members, outputs, places,
    examples)`.
    """
    return _mark("model")


def optimizer(
    *,
    version: int = 0,
    batch: str = "any",
    neutral: Mapping[str, Any] | None = None,
    paper: str | Sequence[str] = (),
) -> Callable[[F], F]:
    """An optimizer: `f(**hyper_parameters) -> Optimizer`; `batch="all"` where it needs the whole training set."""
    return _mark("optimizer")


def schedule(
    *, version: int = 0, neutral: Mapping[str, Any] | None = None, paper: str | Sequence[str] = ()
) -> Callable[[F], F]:
    """A learning-rate schedule: `f(steps, steps_per_epoch, **parameters) -> factors`, shape `(steps,)`."""
    return _mark("schedule")


def loss(
    *,
    version: int = 0,
    needs: str | None = None,
    neutral: Mapping[str, Any] | None = None,
    paper: str | Sequence[str] = (),
) -> Callable[[F], F]:
    """A loss: `f(outputs, targets, **parameters) -> losses`, `(members, outputs, examples) -> (members, examples)`."""
    return _mark("loss")


def train(*, version: int = 0, neutral: Mapping[str, Any] | None = None) -> Callable[[F], F]:
    """The training form; its keyword-only parameters are the fields of `train name { ... }`."""
    return _mark("train")


def analysis(
    *,
    version: int = 0,
    gives: Mapping[str, str],
    shares: Sequence[str] = (),
    differences: Sequence[str] = (),
    needs: str | Sequence[str] = (),
    axes: Mapping[str, str] | None = None,
    neutral: Mapping[str, Any] | None = None,
    paper: str | Sequence[str] = (),
) -> Callable[[F], F]:
    """An analysis: `f(runs, **parameters) -> {quantity: array (members, ...)}`.

    `gives` maps each quantity to its unit and its own axes, `"nats"`, `"1 [ray]"`, `"nats [epoch]"`; the first is
    what a bare mention of the analysis means. `axes` says what each own axis counts. A returned key named like an
    axis holds that axis's coordinates, shape `(length,)`. A list instead of an array holds one array a member,
    whose lengths may differ (curves of runs that stopped at different epochs, with their own coordinates).
    `shares` names the quantities that lie from 0 to 1 and `differences` those that are differences of such: reports
    show both in per cent.
    `needs` lists facts that must hold: `classification`, `labelling`, `labels` (either), `regression`,
    `plane` (inputs of shape (2,)), `numbers` (inputs that are no tokens).
    """
    return _mark("analysis", gives=gives, axes=axes)


def statistic(
    *,
    version: int,
    reduces: str,
    unit: str = "same",
    needs: str | Sequence[str] = (),
    paper: str | Sequence[str] = (),
) -> Callable[[F], F]:
    """A statistic: numpy arrays in, the last axis reduced.

    `reduces="over"`: `f(*values)`, any axes, each `(..., n) -> (...)`. `reduces="along"`: `f(values, coordinates)`,
    one ordered axis that the spec names, coordinates `(n,)`. `reduces="grid"`: `f(*values, shape)`, several axes of
    these lengths, flattened in C order, the seeds never among them.

    `unit` of the result: `same` (that of the values, which is one), `first` (that of the first values), `1`, `per`
    (values per coordinate), `times` (values times coordinate), `coordinate`, or `ratio` (first values per second).
    `needs` says when there is a result: `positive` (values and coordinates above 0), `crossing` (the curve crosses
    the level).
    """
    return _mark("statistic")


def plot(*, version: int, paper: str | Sequence[str] = ()) -> Callable[[F], F]:
    """A figure: `f(table, **parameters) -> altair.Chart`."""
    return _mark("plot")
