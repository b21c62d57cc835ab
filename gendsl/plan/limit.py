"""The limit on the size of a plan: refused before anything is computed, naming the factors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod

from gendsl.diagnostic import Diagnostic, DiagnosticError, Label
from gendsl.source import Source, Span
from gendsl.spec import Spec, Step

OTHERS_PER_RUN = 100
"""A step that is no training may have this many nodes for each training allowed."""


def refuse_too_large(spec: Spec, sizes: Mapping[str, int], *, max_runs: int) -> None:
    """Raises `plan-too-large` for more than `max_runs` trainings, or far more of anything else."""
    counts = {name: prod(sizes[axis] for axis in step.axes) for name, step in spec.steps.items()}
    trainings = {name: counts[name] for name, step in spec.steps.items() if step.kind == "train"}
    total = sum(trainings.values())
    if total > max_runs:
        factors = [_factors(spec.steps[name], sizes, "trainings") for name in trainings]
        largest = max(trainings, key=trainings.__getitem__)
        raise _too_large(spec, largest, f"{total:,} trainings", factors, limit=max_runs, needed=total)
    for name, number in counts.items():
        if number > max_runs * OTHERS_PER_RUN and name not in trainings:
            words = {"dataset": "datasets", "analysis": "analyses"}[spec.steps[name].kind]
            factors = [_factors(spec.steps[name], sizes, words)]
            needed = -(-number // OTHERS_PER_RUN)
            limit = max_runs * OTHERS_PER_RUN
            raise _too_large(spec, name, f"{number:,} {words}", factors, limit=limit, needed=needed)


def _factors(step: Step, sizes: Mapping[str, int], words: str) -> str:
    """`200 lr x 50 width x 100 seed = 1,000,000 trainings of fit`."""
    total = prod(sizes[axis] for axis in step.axes)
    factors = " x ".join(f"{sizes[axis]} {axis}" for axis in step.axes)
    return f"{factors} = {total:,} {words} of {step.name}" if factors else f"1 of {step.name}"


def _too_large(
    spec: Spec, name: str, what: str, factors: Sequence[str], *, limit: int, needed: int
) -> DiagnosticError:
    own = next(text for text in factors if text.endswith(f" of {name}"))
    return refused(
        spec,
        name,
        code="plan-too-large",
        message=f"this experiment asks for {what}, the limit is {limit:,}",
        note=own,
        others={text.rpartition(" of ")[2]: text for text in factors if text != own},
        help=f"take fewer values along an axis, or allow it with `--max-runs {needed}`",
    )


def refused(
    spec: Spec,
    name: str,
    *,
    code: str,
    message: str,
    note: str,
    others: Mapping[str, str] | None = None,
    help: str | None = None,
) -> DiagnosticError:
    """A fault of the step `name`; `others` are notes at further steps."""
    source = Source(spec.text, spec.path)
    notes = {name: note, **(others or {})}
    # The place of a step that an imported file declares means nothing in this one.
    spans = {step: spec.steps[step].span for step in notes if spec.steps[step].span.end <= len(spec.text)}
    return DiagnosticError(
        Diagnostic(
            code=code,
            message=message,
            source=source,
            span=spans.get(name, Span(0, 0)),
            note=note if name in spans else f"{note}, in `{name}`",
            labels=tuple(Label(spans[step], text) for step, text in (others or {}).items() if step in spans),
            help=help,
        )
    )
