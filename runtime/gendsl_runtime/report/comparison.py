"""Several runs side by side: in which fields their specs differ, and how verdicts and results changed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from gendsl import spec
from gendsl.spec.shown import shown
from gendsl_runtime.changes import ABSENT, leaves
from gendsl_runtime.claims.evaluate import replicate_axis
from gendsl_runtime.report.cards import Card, cards, common_spans
from gendsl_runtime.report.shares import quantity_kind
from gendsl_runtime.report.words import number, spelt
from gendsl_runtime.results import Results

SHOWN = 12
"""Labels of an axis said in full."""


@dataclass(frozen=True)
class Field:
    """A field with its value in each run; `-` where a run has no such field."""

    part: str
    """Which part of the page it belongs to: `Specification` or `Environment`."""
    path: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Claimed:
    """One claim in all runs; None where a run does not state it."""

    name: str
    cards: tuple[Card | None, ...]
    is_changed: bool
    """Whether outcomes differ, or not all runs state it."""
    text: str
    """The claim where all runs that state it do so in the same words, else empty."""
    is_aligned: bool
    """Whether the intervals of all runs lie on one scale."""


@dataclass(frozen=True)
class Measured:
    """The mean of one quantity in each run, over the coordinates that all runs share."""

    name: str
    means: tuple[str, ...]
    change: str
    """The last run's mean minus the first one's; empty where they are the same."""
    note: str
    """Over what the means are, or why there are none."""


@dataclass(frozen=True)
class Comparison:
    """What differs between runs, in their order."""

    names: tuple[str, ...]
    runs: tuple[Results, ...]
    fields: tuple[Field, ...]
    claims: tuple[Claimed, ...]
    measured: tuple[Measured, ...]


def compare(names: Sequence[str], runs: Sequence[Results]) -> Comparison:
    """The comparison of at least two runs."""
    return Comparison(
        names=tuple(names),
        runs=tuple(runs),
        fields=tuple(_differing("Specification", [dict(spec_fields(run.spec)) for run in runs]))
        + tuple(_differing("Environment", [dict(_surroundings(run)) for run in runs])),
        claims=tuple(_claims(runs)),
        measured=tuple(_measured(runs)),
    )


def spec_fields(experiment: spec.Spec) -> Iterator[tuple[str, str]]:
    """Every field of a checked spec as a person would write it, by its path; formatting and comments are no part."""
    yield "title", experiment.title
    yield "preset", experiment.preset or ABSENT
    for name, value in experiment.parameters.items():
        yield f"param {name}", shown(value)
    for axis in experiment.axes.values():
        yield f"{axis.kind} {axis.name}", _labels(axis, experiment)
        if axis.looks:
            yield f"{axis.kind} {axis.name} until decided", f"at most {axis.looks[-1]:,}"
    for step in experiment.steps.values():
        yield step.name, f"{step.kind} {step.component}"
        if step.version > 1:
            yield f"{step.name} version", str(step.version)
        if step.code is not None:
            yield f"{step.name} code", step.code.fingerprint[:12]
        yield from ((f"{step.name}.{path}", text) for path, text in leaves(step.arguments, ""))
        yield from ((f"{step.name}.{path} code", text) for path, text in _codes(step.arguments, ""))
    for claim in experiment.claims:
        yield f"claim {claim.name}", _flat(claim.text)
    for plot in experiment.plots:
        given = [item for item in plot.arguments.items() if not isinstance(item[1], spec.Nothing)]
        values = ", ".join(f"{key}={shown(value)}" for key, value in given)
        yield f"plot {plot.name}", f"{plot.component}({values})"


def _codes(arguments: dict[str, spec.Value], prefix: str) -> Iterator[tuple[str, str]]:
    """Fingerprints of the user's own components among arguments."""
    for name, value in arguments.items():
        if isinstance(value, spec.Component):
            if value.code is not None:
                yield f"{prefix}{name}", value.code.fingerprint[:12]
            yield from _codes(value.arguments, f"{prefix}{name}.")


def _labels(axis: spec.Axis, experiment: spec.Spec) -> str:
    texts = [spelt(axis.name, label, experiment) for label in axis.labels]
    if len(texts) <= SHOWN:
        return ", ".join(texts)
    return f"{', '.join(texts[:4])} … {texts[-1]} ({len(texts)})"


def _surroundings(run: Results) -> Iterator[tuple[str, str]]:
    if run.record is None:
        return
    yield "device", run.record.device
    yield from run.record.versions.items()
    yield from run.record.machine.items()


def _differing(part: str, found: Sequence[dict[str, str]]) -> Iterator[Field]:
    for path in dict.fromkeys(path for fields in found for path in fields):
        values = tuple(fields.get(path, ABSENT) for fields in found)
        if len(set(values)) > 1:
            yield Field(part, path, values)


def _claims(runs: Sequence[Results]) -> Iterator[Claimed]:
    spans = common_spans((run.spec, run.verdicts) for run in runs)
    found = [{card.verdict.name: card for card in cards(run.spec, run.verdicts, spans=spans)} for run in runs]
    for name in dict.fromkeys(name for known in found for name in known):
        row = tuple(known.get(name) for known in found)
        outcomes = {card.verdict.outcome if card else ABSENT for card in row}
        texts = {_flat(card.verdict.text) for card in row if card}
        yield Claimed(name, row, len(outcomes) > 1, texts.pop() if len(texts) == 1 else "", name in spans)


def _flat(text: str) -> str:
    """A claim on one line: where its lines end is formatting."""
    return " ".join(text.split())


def _measured(runs: Sequence[Results]) -> Iterator[Measured]:
    for step in dict.fromkeys(step for run in runs for step in run):
        known = [run[step] for run in runs if step in run]
        for key in dict.fromkeys(str(key) for dataset in known for key in dataset.data_vars):
            arrays = [run[step].get(key) if step in run else None for run in runs]
            made = next(run.spec.steps[step] for run in runs if step in run)
            if not any(array is not None and set(array.dims) - set(made.axes) for array in arrays):
                yield _quantity(f"{step}.{key}", arrays, bool(quantity_kind(made, key)), runs)


def _quantity(
    name: str, arrays: Sequence[xr.DataArray | None], is_share: bool, runs: Sequence[Results]
) -> Measured:
    there = [array for array in arrays if array is not None]
    if len(there) < len(arrays):
        missing = [str(place) for place, array in enumerate(arrays, 1) if array is None]
        return Measured(name, (ABSENT,) * len(arrays), "", f"not in run {', '.join(missing)}")
    if len({frozenset(map(str, array.dims)) for array in there}) > 1:
        return Measured(name, (ABSENT,) * len(arrays), "", "over different axes")
    shared, size = _shared(there)
    most = max(array.size for array in there)
    if not size:
        return Measured(name, (ABSENT,) * len(arrays), "", "no coordinate in common")
    # Summed exactly: the same numbers have the same mean however they lie in memory.
    means = [math.fsum(array.values[np.isfinite(array.values)]) / size for array in shared]
    text = _percent if is_share else number
    change = means[-1] - means[0]
    is_same = all(array.equals(shared[0]) for array in shared[1:])
    sign = "+" if change > 0 else ""
    said = "" if is_same else sign + (f"{number(100 * change)} points" if is_share else number(change))
    note = f"{size:,} shared" if size == most else f"{size:,} shared of up to {most:,}"
    seed = replicate_axis(runs[0].spec)
    if seed in shared[0].dims:
        note += f", {shared[0].sizes[str(seed)]} {seed}s"
    return Measured(name, tuple(map(text, means)), said, note)


def _shared(arrays: Sequence[xr.DataArray]) -> tuple[list[xr.DataArray], int]:
    """The values at the coordinates where every run has a finite one (else NaN), and how many these are."""
    first = arrays[0].dims
    aligned = xr.align(*(one.astype(np.float64).transpose(*first) for one in arrays), join="inner")
    there = np.logical_and.reduce([np.isfinite(one.values) for one in aligned])
    return [one.where(there) for one in aligned], int(np.count_nonzero(there))


def _percent(value: float) -> str:
    return number(100 * value) + ("%" if np.isfinite(value) else "")
