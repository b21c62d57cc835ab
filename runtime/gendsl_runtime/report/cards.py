"""Verdicts as the report shows them: numbers in words, intervals as places on a line."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from gendsl import spec
from gendsl_runtime.claims.verdict import Case, Look, Verdict
from gendsl_runtime.report.shares import share_kind
from gendsl_runtime.report.words import number, spelt

_PERCENT = re.compile(r"(?:[<>]=?|[=!]=)\s*-?[\d._]+\s*%")
MARKS = {"supported": "✓", "refuted": "✗", "undecided": "?"}
ROOM = 0.14
"""Room beside the outermost number, as a share of the line."""


@dataclass(frozen=True)
class Line:
    """An interval on a line from 0 to 1: the threshold, the claimed side, the interval, its centre."""

    threshold: float
    low: float
    high: float
    centre: float
    is_open_low: bool
    is_open_high: bool
    side: str
    """`below`, `above` or `at`: where the claim wants the interval."""
    labels: tuple[str, str, str]
    """Threshold, low and high in words."""


@dataclass(frozen=True)
class Row:
    """One case of a quantified claim, or one look at a claim."""

    where: str
    outcome: str
    numbers: str
    line: Line | None
    reason: str


@dataclass(frozen=True)
class Card:
    """One claim."""

    verdict: Verdict
    mark: str
    estimate: str
    """What was found, in a phrase."""
    facts: tuple[str, ...]
    """Replicates, method, p-value, correction."""
    why: str
    line: Line | None
    summary: str
    """The line in words, for those who do not see it."""
    rows: tuple[Row, ...]
    looks: tuple[Row, ...] = ()
    """Each look at the claim, where seeds went on until it was decided."""


Span = tuple[float, float]
"""The stretch of the number line that a drawn interval lies on."""


def cards(
    experiment: spec.Spec, verdicts: Sequence[Verdict], *, spans: Mapping[str, Span] | None = None
) -> list[Card]:
    """A card for each verdict, in the order of the file; on the stretch given for its name, else on its own."""
    claims = {claim.name: claim for claim in experiment.claims}
    given = spans or {}
    return [
        _card(verdict, claims.get(verdict.name), experiment, given.get(verdict.name)) for verdict in verdicts
    ]


def common_spans(runs: Iterable[tuple[spec.Spec, Sequence[Verdict]]]) -> dict[str, Span]:
    """For each claim a stretch that holds its intervals in all runs, where they are said in one unit."""
    found: dict[str, list[tuple[_Scale, Span | None]]] = {}
    for experiment, verdicts in runs:
        claims = {claim.name: claim for claim in experiment.claims}
        for verdict in verdicts:
            scale, _ = _scale(verdict, claims.get(verdict.name), experiment)
            span = _span([(verdict.low, verdict.high, verdict.estimate)], scale)
            found.setdefault(verdict.name, []).append((replace(scale, shift=0.0), span))
    return {
        name: (min(span[0] for span in drawn), max(span[1] for span in drawn))
        for name, pairs in found.items()
        if len({scale for scale, _ in pairs}) == 1 and (drawn := [span for _, span in pairs if span])
    }


@dataclass(frozen=True)
class _Scale:
    """How the numbers of one claim are said. `shift` is the constant right side where there is one."""

    shift: float
    is_percent: bool
    unit: str
    is_share: bool = False
    """Whether it is compared with a number as a share: then no interval is drawn beyond 0 and 1."""
    is_points: bool = False
    """Whether its sides are differences of shares, which are said in percentage points."""
    is_constant: bool = False
    """Whether the right side is a number, and so what is drawn is the left side."""

    def text(self, value: float) -> str:
        """A side of the claim."""
        if self.is_percent:
            unit = " percentage points" if self.is_points else "%"
            return number(100 * value) + (unit if math.isfinite(value) else "")
        return f"{number(value)} {self.unit}".rstrip()

    def mark(self, value: float) -> str:
        """A place on the line: of a side where the other is a number, else of their difference."""
        return self.text(value) if self.is_constant else replace(self, is_points=True).text(value)

    def end(self, bound: float) -> float:
        """An end of the interval as it is shown, from the estimate's own zero."""
        value = self.shift + bound
        return min(max(value, 0.0), 1.0) if self.is_share and math.isfinite(value) else value

    def distance(self, value: float) -> str:
        """A difference: of shares it is said in percentage points, as `−0.9%` might be relative."""
        return number(100 * value) if self.is_percent else self.text(value)


def _scale(verdict: Verdict, claim: spec.Claim | None, experiment: spec.Spec) -> tuple[_Scale, bool]:
    """The scale, and whether the claim compares with a constant (which then is the threshold drawn)."""
    constant = isinstance(claim.right, spec.Number) if claim is not None else False
    is_percent = not verdict.unit and claim is not None and _is_percent(claim, experiment)
    unit = "" if verdict.unit == "1" else verdict.unit
    is_share = constant and claim is not None and share_kind(claim.left, experiment) == "share"
    is_points = claim is not None and share_kind(claim.left, experiment) == "points"
    shift = verdict.right if constant else 0.0
    return _Scale(shift, is_percent, unit, is_share, is_points, constant), constant


def _is_percent(claim: spec.Claim, experiment: spec.Spec) -> bool:
    """Whether both sides are shares, or one is compared with a number that is written in per cent."""
    if isinstance(claim.right, spec.Number):
        return bool(_PERCENT.search(claim.text)) or bool(share_kind(claim.left, experiment))
    return bool(share_kind(claim.left, experiment)) and bool(share_kind(claim.right, experiment))


def _card(
    verdict: Verdict, claim: spec.Claim | None, experiment: spec.Spec, given: Span | None = None
) -> Card:
    scale, constant = _scale(verdict, claim, experiment)
    span = given or _span([(verdict.low, verdict.high, verdict.estimate)], scale)
    line = _line(verdict.low, verdict.high, verdict.estimate, verdict.op, scale, span)
    estimate = _estimate(verdict, scale, constant)
    rows = _rows(verdict, scale, constant, experiment) if len(verdict.cases) > 1 else ()
    if rows and verdict.cases:
        estimate = f"{_tally(verdict)}: {estimate}"
    return Card(
        verdict=verdict,
        mark=MARKS[verdict.outcome],
        estimate=estimate,
        facts=tuple(_facts(verdict)),
        why=_why(verdict),
        line=line,
        summary=f"{verdict.name}: {verdict.outcome}. {estimate}.",
        rows=rows,
        looks=_looks(verdict, scale, constant),
    )


def _looks(verdict: Verdict, scale: _Scale, constant: bool) -> tuple[Row, ...]:
    span = _span([(look.low, look.high, look.estimate) for look in verdict.looks], scale)
    return tuple(
        Row(
            where=f"{look.seeds} seeds",
            outcome=look.outcome,
            numbers=_estimate(look, scale, constant),
            line=_line(look.low, look.high, look.estimate, verdict.op, scale, span),
            reason="",
        )
        for look in verdict.looks
    )


def _tally(verdict: Verdict) -> str:
    counts = {word: sum(case.outcome == word for case in verdict.cases) for word in MARKS}
    said = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
    return f"{len(verdict.cases)} cases ({said}); the deciding one"


def _estimate(item: Verdict | Case | Look, scale: _Scale, constant: bool) -> str:
    if math.isnan(item.estimate):
        return "no estimate"
    interval = ""
    if item.low != item.high and not (math.isnan(item.low) or math.isnan(item.high)):
        level = "" if isinstance(item, Case) else f"{100 * item.level:.4g}% interval "
        level += "over all looks " if isinstance(item, Verdict) and item.looks else ""
        text = scale.text if constant and not scale.is_points else scale.distance
        interval = f", {level}{text(scale.end(item.low))} to {text(scale.end(item.high))}"
        interval += _cut(item, scale)
    if constant:
        return f"{scale.text(item.left)}{interval}"
    both = f"{scale.text(item.left)} against {scale.text(item.right)}"
    if scale.is_percent:
        return f"{both}: {scale.distance(item.estimate)} percentage points{interval}"
    return f"{both}: difference {scale.distance(item.estimate)}{interval}"


def _cut(item: Verdict | Case | Look, scale: _Scale) -> str:
    ends = [scale.shift + item.low, scale.shift + item.high]
    is_cut = any(math.isfinite(end) and scale.end(end - scale.shift) != end for end in ends)
    return " (cut at 0% and 100%)" if is_cut else ""


def _facts(verdict: Verdict) -> Iterable[str]:
    if verdict.used:
        yield f"{verdict.used} seed{'s' * (verdict.used != 1)}" + (
            f" ({verdict.missing} without a value)" if verdict.missing else ""
        )
    if verdict.looks:
        yield verdict.spending
    yield verdict.kind
    if verdict.p_value is not None:
        yield f"p {_p(verdict.p_value)}"
        same = verdict.corrected == verdict.outcome
        corrected = f" (p {_p(verdict.corrected_p)})" if verdict.corrected_p is not None else ""
        yield f"{'also ' if same else ''}{verdict.corrected} after Holm’s correction{corrected}"


def _p(value: float) -> str:
    return "< 0.0001" if value < 1e-4 else f"= {value:.2g}"


def _why(verdict: Verdict) -> str:
    if verdict.outcome == "undecided" and verdict.reason in ("", "the interval holds 0"):
        return "the interval holds the threshold, so the data allow both"
    return verdict.reason


def _rows(verdict: Verdict, scale: _Scale, constant: bool, experiment: spec.Spec) -> tuple[Row, ...]:
    span = _span([(case.low, case.high, case.estimate) for case in verdict.cases], scale)
    return tuple(
        Row(
            where=", ".join(
                f"{axis} {spelt(axis, label, experiment)}" for axis, label in case.coordinate.items()
            ),
            outcome=case.outcome,
            numbers=_estimate(case, scale, constant),
            line=_line(case.low, case.high, case.estimate, verdict.op, scale, span),
            reason=case.reason,
        )
        for case in verdict.cases
    )


def _span(ends: Iterable[tuple[float, float, float]], scale: _Scale) -> Span | None:
    """The stretch of the number line that holds every finite number and the threshold."""
    numbers = [scale.shift, *(scale.end(value) for end in ends for value in end if math.isfinite(value))]
    if len(numbers) == 1:
        return None
    low, high = min(numbers), max(numbers)
    room = ROOM * ((high - low) or abs(high) or 1.0)
    return low - room, high + room


def _line(low: float, high: float, estimate: float, op: str, scale: _Scale, span: Span | None) -> Line | None:
    if span is None or math.isnan(estimate):
        return None
    start, end = span

    def place(value: float) -> float:
        return min(max((scale.shift + value - start) / (end - start), 0.0), 1.0)

    low, high = (estimate if math.isnan(bound) else bound for bound in (low, high))
    return Line(
        threshold=place(0.0),
        low=0.0 if math.isinf(low) else place(scale.end(low) - scale.shift),
        high=1.0 if math.isinf(high) else place(scale.end(high) - scale.shift),
        centre=place(estimate),
        is_open_low=math.isinf(low),
        is_open_high=math.isinf(high),
        side={"<": "below", ">": "above"}.get(op[0], "at"),
        labels=(scale.mark(scale.shift), scale.mark(scale.end(low)), scale.mark(scale.end(high))),
    )
