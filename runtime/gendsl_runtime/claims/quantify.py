"""Joins the cases of a claim: `for all` and `for some` over the axes it has left."""

from __future__ import annotations

import math
from collections.abc import Sequence

from gendsl import spec
from gendsl_runtime.claims.verdict import Case, Outcome, Verdict


def outcome_of(p_true: float, p_false: float, *, level: float) -> Outcome:
    """Supported or refuted where the p-value is at most half of `1 - level`: both verdicts share the risk."""
    # 1 - 0.95 is a rounding error above 0.05.
    share = round((1 - level) / 2, 12)
    if p_true <= share:
        return "supported"
    return "refuted" if p_false <= share else "undecided"


def joined(claim: spec.Claim, cases: Sequence[Case], warnings: Sequence[str]) -> Verdict:
    """The verdict that the cases of a claim make together.

    `for all` is true where every case is: the largest p-value is one against it being false, uncorrected (the
    intersection-union test: R. L. Berger, "Multiparameter hypothesis testing and acceptance sampling",
    Technometrics 24(4), 1982). It is false where some case is: the least p-value times the number of cases
    (Bonferroni). `for some` is the mirror image. Several axes nest in the order of the claim, the first
    outermost; an axis that the claim does not name is outside of all, `for all`.
    """
    words = _words(claim, cases)
    if not cases:
        cases = [_nothing()]
    p_true, p_false = _quantified(cases, list(words.items()))
    outcome = outcome_of(p_true, p_false, level=claim.level)
    case = _deciding(cases, outcome, is_some="some" in words.values())
    is_exact = all(item.is_exact for item in cases)
    p_value = None if is_exact else min(1.0, 2 * min(p_true, p_false))
    return Verdict(
        name=claim.name,
        text=claim.text,
        op=claim.op,
        level=claim.level,
        outcome=outcome,
        estimate=case.estimate,
        low=case.low,
        high=case.high,
        left=case.left,
        right=case.right,
        used=case.used,
        missing=case.missing,
        kind=case.kind,
        p_value=p_value,
        p_true=p_true,
        p_false=p_false,
        corrected=outcome,
        corrected_p=p_value,
        cases=tuple(cases),
        quantifiers=words,
        reason=case.reason,
        warnings=tuple(warnings),
        unit=claim.unit,
        caption=claim.caption,
    )


def _nothing() -> Case:
    reason = "nothing is left to decide: the two sides have no coordinate in common"
    nan, inf = math.nan, math.inf
    return Case({}, "undecided", nan, -inf, inf, nan, nan, kind="none", reason=reason)


def _words(claim: spec.Claim, cases: Sequence[Case]) -> dict[str, str]:
    """The quantifier of every axis left, outermost first."""
    axes = list(cases[0].coordinate) if cases else []
    named = {axis: word for axis, word in claim.quantifiers.items() if axis in axes}
    return {axis: "all" for axis in axes if axis not in named} | named


def _quantified(cases: Sequence[Case], words: Sequence[tuple[str, str]]) -> tuple[float, float]:
    """The p-values of the cases joined by these quantifiers, outermost first."""
    if not words:
        return cases[0].p_true, cases[0].p_false
    (axis, word), *inner = words
    groups: dict[object, list[Case]] = {}
    for case in cases:
        groups.setdefault(case.coordinate[axis], []).append(case)
    pairs = [_quantified(group, inner) for group in groups.values()]
    p_true, p_false = ([pair[k] for pair in pairs] for k in (0, 1))
    if word == "all":
        return max(p_true), min(1.0, len(pairs) * min(p_false))
    return min(1.0, len(pairs) * min(p_true)), max(p_false)


def _deciding(cases: Sequence[Case], outcome: Outcome, *, is_some: bool) -> Case:
    """The case whose numbers stand for the claim: the one that decided it, or kept it from being decided."""
    if outcome == "refuted":
        return max(cases, key=lambda case: case.p_false if is_some else -case.p_false)
    return max(cases, key=lambda case: -case.p_true if is_some else case.p_true)
