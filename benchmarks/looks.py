"""How often claims are decided wrongly when seeds go on until they are decided: every kind of interval, and files.

The tables are printed by `python -m benchmarks.verdicts`, after those of fixed seeds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from benchmarks.claims import DRAW, LEVEL, MEAN, STUDIES, Study, interval, sampled
from benchmarks.rules import ADAPTIVE, LOOKS, MOST, PEEKING, RULES, level_at
from gendsl import spec
from gendsl_runtime.claims.holm import corrected
from gendsl_runtime.claims.looks import is_settled, seen
from gendsl_runtime.claims.quantify import joined
from gendsl_runtime.claims.resample import Interval, binomial, student
from gendsl_runtime.claims.verdict import Case, Verdict

STATISTICS = (
    "paired difference of means",
    "paired difference of medians",
    "median",
    "ratio of means",
    "`exponent` of a mean curve",
)
SHARES = (0.5, 0.9)


def alone(*, repetitions: int) -> Iterator[str]:
    """A mean against a number that is the truth, where every verdict is false: one row for each kind of values."""
    names = ("10 seeds", "80 seeds", ADAPTIVE, PEEKING)
    yield "| the mean of | " + " | ".join(names) + " |"
    yield "| --- |" + " --: |" * len(names)
    for kind, draw in DRAW.items():
        values = draw(np.random.default_rng([9, list(DRAW).index(kind)]), (repetitions, MOST)) - MEAN[kind]
        found = [RULES[name](values).outcome for name in names]
        cells = [", ".join(f"{100 * np.mean(each == side):.1f}" for side in (1, -1)) for each in found]
        yield f"| {kind} values | {' | '.join(cells)} |"


def intervals(*, repetitions: int) -> Iterator[str]:
    """Other statistics against the truth: false verdicts with seeds that go on."""
    yield "| statistic | " + " | ".join(DRAW) + " |"
    yield "| --- |" + " --: |" * len(DRAW)
    for name in STATISTICS:
        (study,) = (item for item in STUDIES if item.name == name)
        cells = [wrong(study, kind, repetitions=repetitions) for kind in DRAW]
        yield f"| {name} | {' | '.join(f'{100 * share:.1f}' for share in cells)} |"
    for share in SHARES:
        yield f"| `fraction` of {share:.0%} | {100 * wrong_fraction(share, repetitions=repetitions):.1f} | | | |"


def wrong(study: Study, kind: str, *, repetitions: int) -> float:
    """The share of experiments in which a claim about a statistic has a verdict although the truth is its threshold."""
    rng = np.random.default_rng([10, STUDIES.index(study), list(DRAW).index(kind)])
    truth, data = sampled(study, kind, rng, (repetitions, MOST))
    return _wrong(lambda n, level: interval(study, data[:, :n], np.full(repetitions, truth), level=level))


def wrong_fraction(share: float, *, repetitions: int) -> float:
    """The same for the fraction of seeds that have a property."""
    hits = np.random.default_rng(11).random((repetitions, MOST)) < share
    threshold = np.full(repetitions, share)
    return _wrong(lambda n, level: binomial(hits[:, :n].sum(axis=1), n, level=level, threshold=threshold))


def _wrong(after: Callable[[int, float], Interval]) -> float:
    found = [after(n, level_at(number)) for number, n in enumerate(LOOKS)]
    return float(np.mean(np.any([(one.low > 0) | (one.high < 0) for one in found], axis=0)))


def files(*, repetitions: int, claims: int = 5) -> Iterator[str]:
    """Claims over several coordinates and files of several claims, every threshold at the truth."""
    values = np.random.default_rng(12).normal(size=(MOST, claims, repetitions))
    far = values.copy()
    far[:, 1:] += 9
    yield f"| claims | {ADAPTIVE} |"
    yield "| --- | --: |"
    for text, share in (
        (f"`for all`, false at one coordinate of {claims}: supported", quantified(far, "all", "supported")),
        (f"`for all`, at the threshold at {claims}: refuted", quantified(values, "all", "refuted")),
        (f"`for some`, at the threshold at {claims}: supported", quantified(values, "some", "supported")),
        (f"a file of {claims} claims, any decided", file(values, holm=False)),
        (f"a file of {claims} claims, any decided after Holm", file(values, holm=True)),
    ):
        yield f"| {text} | {100 * share:.1f} |"


def quantified(values: np.ndarray, word: str, outcome: str) -> float:
    """How often a claim over all coordinates comes to an outcome; values are `(seeds, coordinates, experiments)`."""
    claim = _claim(0).model_copy(update={"quantifiers": {"width": word}})
    return float(np.mean([each.outcome == outcome for each in _after(values, claim)]))


def file(values: np.ndarray, *, holm: bool) -> float:
    """How often any claim of a file, one for each coordinate, has a verdict."""
    columns = [_after(values[:, [k]], _claim(k)) for k in range(values.shape[1])]
    found = [corrected(verdicts) if holm else verdicts for verdicts in zip(*columns, strict=True)]
    is_wrong = [any((v.corrected if holm else v.outcome) != "undecided" for v in each) for each in found]
    return float(np.mean(is_wrong))


def _after(values: np.ndarray, claim: spec.Claim) -> list[Verdict]:
    """The verdict on a claim in each experiment, after the look that decided it, or the last."""
    latest: list[Verdict | None] = [None] * values.shape[-1]
    for number, n in enumerate(LOOKS):
        at_level = claim.model_copy(update={"level": level_at(number)})
        for at, cases in enumerate(_cases(values[:n])):
            earlier = latest[at]
            if earlier is None or not is_settled(earlier):
                made = joined(at_level, cases, ())
                latest[at] = seen(made, claim, looks=LOOKS, number=number, earlier=earlier)
    return [verdict for verdict in latest if verdict is not None]


def _cases(values: np.ndarray) -> Iterator[list[Case]]:
    n, count, repetitions = values.shape
    found = student(values.reshape(n, -1), level=LEVEL)
    above, below = (array.reshape(count, repetitions) for array in (found.p_above, found.p_below))
    for at in range(repetitions):
        yield [
            Case(
                {"width": k},
                "undecided",
                *(0.0, 0.0, 0.0, 0.0, 0.0),
                n,
                kind="t",
                p_true=float(above[k, at]),
                p_false=float(below[k, at]),
            )
            for k in range(count)
        ]


def _claim(k: int) -> spec.Claim:
    zero = spec.Number(value=0)
    return spec.Claim(name=f"c{k}", text="", left=zero, op=">", right=zero)
