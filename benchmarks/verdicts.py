"""How often whole claims and files are decided wrongly: `python -m benchmarks.verdicts [--short]`.

Each experiment has the values of several seeds, from which a rule reaches verdicts on claims about their mean;
where the claims' thresholds are the truth every verdict is false. `benchmarks/rules.py` holds the rules for one claim,
which may use as many of the seeds as they like; `benchmarks/looks.py` has the tables of seeds that go on.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from benchmarks import looks
from benchmarks.claims import DRAW, LEVEL
from benchmarks.rules import MOST, RULES
from gendsl import spec
from gendsl_runtime.claims.holm import corrected
from gendsl_runtime.claims.peaks import peak
from gendsl_runtime.claims.places import one_way, place
from gendsl_runtime.claims.quantify import joined
from gendsl_runtime.claims.resample import Interval, student
from gendsl_runtime.claims.verdict import Case, Verdict

COORDINATES = 5
EFFECTS = (0.0, 0.3, 0.5, 1.0)
FIXED = (5, 10, 30)
"""Seeds of files and quantified claims."""
"""True differences, in standard deviations; with 0 every verdict is false."""


def rules(*, repetitions: int) -> Iterator[str]:
    """One row for each rule and kind of values: decided either way, for each true difference, and seeds used."""
    yield (
        "| rule | paired differences of | "
        + " | ".join(f"supported, refuted at {effect} sd | seeds" for effect in EFFECTS)
        + " |"
    )
    yield "| --- | --- |" + " --: | --: |" * len(EFFECTS)
    for name, rule in RULES.items():
        for kind, draw in DRAW.items():
            cells = []
            for effect in EFFECTS:
                rng = np.random.default_rng([7, list(DRAW).index(kind)])
                found = rule(_paired(draw, rng, (repetitions, MOST)) + effect)
                shares = [f"{100 * np.mean(found.outcome == side):.1f}" for side in (1, -1)]
                cells += [", ".join(shares), f"{found.used.mean():.1f}"]
            yield f"| {name} | {kind} | {' | '.join(cells)} |"


def _paired(
    draw: Callable[[np.random.Generator, tuple[int, ...]], np.ndarray],
    rng: np.random.Generator,
    shape: tuple[int, ...],
) -> np.ndarray:
    """Differences of two runs alike in distribution, of unit standard deviation."""
    values = draw(rng, shape) - draw(rng, shape)
    spread = {"normal": 2.0, "skewed": 2 * (np.e - 1) * np.e, "bounded": 2 * 0.8 * 0.2 / 3.5, "heavy": 6.0}
    kind = next(name for name, other in DRAW.items() if other is draw)
    return np.asarray(values / np.sqrt(spread[kind]))


def families(*, repetitions: int) -> Iterator[str]:
    """False verdicts of claims over several coordinates and of files, where some or all thresholds are the truth."""
    yield "| claims | " + " | ".join(f"{n} seeds" for n in FIXED) + " |"
    yield "| --- |" + " --: |" * len(FIXED)
    for name, function in FAMILIES.items():
        shares = []
        for n in FIXED:
            values = np.random.default_rng([8, n]).normal(size=(n, COORDINATES, repetitions))
            shares.append(f"{100 * function(values):.1f}")
        yield f"| {name} | {' | '.join(shares)} |"


def _claims(values: np.ndarray, word: str) -> list[Verdict]:
    """The verdict of "above 0 for all (some) coordinates" in each experiment."""
    claim = spec.Claim(
        name="c",
        text="",
        left=spec.Number(value=0),
        op=">",
        right=spec.Number(value=0),
        quantifiers={"width": word},
    )
    cases = _cases(values)
    return [joined(claim, each, ()) for each in cases]


def _cases(values: np.ndarray) -> list[list[Case]]:
    n, count, repetitions = values.shape
    found = student(values.reshape(n, -1), level=LEVEL)
    ends = [array.reshape(count, repetitions) for array in (found.p_above, found.p_below)]
    return [
        [
            Case(
                {"width": k},
                "undecided",
                0,
                0,
                0,
                0,
                0,
                n,
                kind="t",
                p_true=float(above),
                p_false=float(below),
            )
            for k, (above, below) in enumerate(zip(ends[0][:, at], ends[1][:, at], strict=True))
        ]
        for at in range(repetitions)
    ]


def _is(verdicts: Sequence[Verdict], outcome: str) -> float:
    return float(np.mean([verdict.outcome == outcome for verdict in verdicts]))


def _far(values: np.ndarray, *, by: float) -> np.ndarray:
    """All coordinates but the first far from the threshold."""
    far = values.copy()
    far[:, 1:] += by
    return far


def _file(values: np.ndarray, *, holm: bool) -> float:
    """Whether any of a file's claims has a verdict, all thresholds being the truth."""
    wrong = 0.0
    for cases in _cases(values):
        claims = [joined(_plain(k), [case], ()) for k, case in enumerate(cases)]
        found = [verdict.corrected for verdict in corrected(claims)] if holm else [v.outcome for v in claims]
        wrong += any(outcome != "undecided" for outcome in found)
    return wrong / int(values.shape[-1])


def _plain(k: int) -> spec.Claim:
    zero = spec.Number(value=0)
    return spec.Claim(name=f"c{k}", text="", left=zero, op=">", right=zero)


def _decided(found: Interval) -> float:
    share = (1 - LEVEL) / 2
    return float(np.mean((found.p_above <= share) | (found.p_below <= share)))


def _place(values: np.ndarray) -> float:
    last = np.full(values.shape[-1], values.shape[1] - 1.0)
    points = np.arange(float(values.shape[1]))
    found = place("argmin", values, points, op="<", level=LEVEL, threshold=last)
    return float(np.mean(found.p_above <= (1 - LEVEL) / 2))


FAMILIES: dict[str, Callable[[np.ndarray], float]] = {
    "`for all`, false at one coordinate of 5: supported": lambda x: _is(
        _claims(_far(x, by=9), "all"), "supported"
    ),
    "`for all`, at the threshold at 5: refuted": lambda x: _is(_claims(x, "all"), "refuted"),
    "`for some`, at the threshold at 5: supported": lambda x: _is(_claims(x, "some"), "supported"),
    "`for some`, true at one coordinate of 5: refuted": lambda x: _is(
        _claims(_far(x, by=-9), "some"), "refuted"
    ),
    "a file of 5 claims, any decided": lambda x: _file(x, holm=False),
    "a file of 5 claims, any decided after Holm": lambda x: _file(x, holm=True),
    "`rise` of a flat mean curve of 5 points": lambda x: _decided(
        peak("rise", x, level=LEVEL, threshold=np.zeros(x.shape[-1]))
    ),
    "`highest` of a flat mean curve of 5 points": lambda x: _decided(
        peak("highest", x, level=LEVEL, threshold=np.zeros(x.shape[-1]))
    ),
    "`argmin` of a flat mean curve of 5 points: it is not the last": _place,
    "`monotone` of a flat mean curve of 5 points": lambda x: _decided(
        one_way(x, rising=True, op="==", level=LEVEL, threshold=np.ones(x.shape[-1]))
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=4000)
    parser.add_argument("--short", action="store_true", help="400 experiments a row")
    arguments = parser.parse_args()
    repetitions = 400 if arguments.short else arguments.repetitions
    tables = (rules, looks.alone, looks.intervals, looks.files, families)
    for lines in (table(repetitions=repetitions) for table in tables):
        for line in lines:
            print(line, flush=True)
        print()


if __name__ == "__main__":
    main()
