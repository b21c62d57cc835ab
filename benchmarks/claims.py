"""How often the intervals of claims cover the truth: `python benchmarks/claims.py [--short]`.

Many experiments are simulated whose truth is known, each with n seeds; a table says how often the 95 %
interval held the truth, and how often it lay wholly below or above (a false verdict on a claim whose
threshold is the truth), and how often it decides where the threshold is one standard deviation away. The
percentile bootstrap and BCa stand beside it for comparison. `benchmarks/verdicts.py` has whole claims and files.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from scipy import special, stats

from gendsl_runtime.claims.replicated import FEWEST_PAIRS
from gendsl_runtime.claims.resample import (
    Interval,
    binomial,
    fisher,
    logarithmic,
    student,
    studentised,
)
from gendsl_runtime.statistics.auc import auc
from gendsl_runtime.statistics.exponent import exponent
from gendsl_runtime.statistics.kendall import kendall
from gendsl_runtime.statistics.median import median
from gendsl_runtime.statistics.pearson import pearson
from gendsl_runtime.statistics.quantile import quantile
from gendsl_runtime.statistics.spearman import spearman
from gendsl_runtime.statistics.std import std
from gendsl_runtime.statistics.threshold import threshold

LEVEL = 0.95
RESAMPLES = 500
"""Of one experiment; the standard error then has an error of 3 %."""
SEEDS = (3, 5, 10, 30, 100)
MANY = 100
"""Seeds from which a row has a quarter of the experiments."""
SLOW = ("kendall",)
"""Studies with a quarter of the experiments: the time of one grows with the square of the seeds."""
DRAW: dict[str, Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]] = {
    "normal": lambda rng, shape: rng.normal(size=shape),
    "skewed": lambda rng, shape: rng.lognormal(size=shape),
    "bounded": lambda rng, shape: rng.beta(2, 0.5, size=shape),
    "heavy": lambda rng, shape: rng.standard_t(3, size=shape),
}
"""Standard normal; log-normal; accuracies near their ceiling, Beta(2, 1/2); Student's t_3."""

Sample: TypeAlias = np.ndarray
"""`(experiments, seeds, variables)`."""


@dataclass(frozen=True)
class Study:
    """A claim's statistic: how its data arise, and its value `(..., n, variables) -> (...)`."""

    name: str
    data: Callable[[Callable[[tuple[int, ...]], np.ndarray], tuple[int, ...]], Sample]
    statistic: Callable[[np.ndarray], np.ndarray]
    scale: str = ""


def _one(draw: Callable[[tuple[int, ...]], np.ndarray], shape: tuple[int, ...]) -> Sample:
    return draw(shape)[..., None]


def _paired(draw: Callable[[tuple[int, ...]], np.ndarray], shape: tuple[int, ...]) -> Sample:
    """Two runs that share half of each seed's luck; the second is half a unit lower."""
    shared = draw(shape)
    return np.stack([shared + draw(shape) + 0.5, shared + draw(shape)], axis=-1)


def _correlated(draw: Callable[[tuple[int, ...]], np.ndarray], shape: tuple[int, ...]) -> Sample:
    """Pearson's correlation is sqrt(1/2) where the variance exists."""
    first = draw(shape)
    return np.stack([first, first + draw(shape)], axis=-1)


def _positive(draw: Callable[[tuple[int, ...]], np.ndarray], shape: tuple[int, ...]) -> Sample:
    first = draw(shape)
    return np.stack([first + 4, 0.5 * first + draw(shape) + 4], axis=-1)


POINTS = np.array([4.0, 8.0, 16.0, 32.0, 64.0])
CURVE = POINTS**-0.5
LEVEL_OF_CURVE = 0.3
NOISE = 0.15
"""Of a point of a curve, relative, once for all points of a seed and once for each."""


def _curves(draw: Callable[[tuple[int, ...]], np.ndarray], shape: tuple[int, ...]) -> Sample:
    """Curves `x^(-1/2)` with noise of unit standard deviation, scaled, from a seed and from each of its points."""
    lucky, own = draw((*shape, 1)), draw((*shape, len(POINTS)))
    return np.asarray(CURVE * (1 + NOISE * (lucky + own)))


def _of_mean(function: Callable[[np.ndarray], np.ndarray]) -> Callable[[np.ndarray], np.ndarray]:
    """A statistic of the curve that seeds make on average."""
    return lambda x: function(x.mean(axis=-2))


def _sides(function: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Callable[[np.ndarray], np.ndarray]:
    return lambda x: function(x[..., 0], x[..., 1])


STUDIES = (
    Study("mean", _one, lambda x: x[..., 0].mean(axis=-1), "t"),
    Study("paired difference of means", _paired, lambda x: (x[..., 0] - x[..., 1]).mean(axis=-1), "t"),
    Study("median", _one, lambda x: median(x[..., 0])),
    Study("paired difference of medians", _paired, lambda x: median(x[..., 0]) - median(x[..., 1])),
    Study("ratio of means", _positive, lambda x: x[..., 0].mean(axis=-1) / x[..., 1].mean(axis=-1)),
    Study("`exponent` of a mean curve", _curves, _of_mean(lambda y: exponent(y, POINTS))),
    Study(
        "`threshold` of a mean curve",
        _curves,
        _of_mean(lambda y: threshold(y, POINTS, level=LEVEL_OF_CURVE, direction="down")),
    ),
    Study("`auc` of a mean curve", _curves, _of_mean(lambda y: auc(y, POINTS)), "t"),
    Study("std", _one, lambda x: std(x[..., 0]), "log"),
    Study("pearson", _correlated, _sides(pearson), "fisher"),
    Study("spearman", _correlated, _sides(spearman), "fisher"),
    Study("kendall", _correlated, _sides(kendall), "fisher"),
    Study("`quantile` of 90%", _one, lambda x: quantile(x[..., 0], level=0.9)),
)


@dataclass(frozen=True)
class Coverage:
    """Shares of experiments: truth inside the interval, interval below it, above it; inside of two others."""

    study: str
    kind: str
    seeds: int
    inside: float
    below: float
    above: float
    percentile: float
    bca: float
    power: float
    """How often the interval lies above a threshold below the truth (`_distance`)."""


def coverage(study: Study, kind: str, seeds: int, *, repetitions: int) -> Coverage:
    """Simulates one row of the table."""
    rng = np.random.default_rng([SEEDS.index(seeds), list(DRAW).index(kind), STUDIES.index(study)])
    truth, data = sampled(study, kind, rng, (repetitions, seeds))
    found = interval(study, data, np.full(repetitions, truth))
    plain, bca = (held & held_high for held, held_high in _bootstraps(study, data, truth, rng))
    return Coverage(
        study.name,
        kind,
        seeds,
        inside=float(np.mean((found.low <= 0) & (found.high >= 0))),
        below=float(np.mean(found.high < 0)),
        above=float(np.mean(found.low > 0)),
        percentile=float(np.mean(plain)),
        bca=float(np.mean(bca)),
        power=float(np.mean(found.low > -_distance(study, kind, truth))),
    )


def sampled(
    study: Study, kind: str, rng: np.random.Generator, shape: tuple[int, int]
) -> tuple[float, Sample]:
    """The truth, and the data of so many experiments of so many seeds."""

    def draw(shape: tuple[int, ...]) -> np.ndarray:
        values = DRAW[kind](rng, shape)
        return (values - MEAN[kind]) / np.sqrt(VARIANCE[kind]) if study.data is _curves else values

    return _truth(study, kind, draw), study.data(draw, shape)


def _truth(study: Study, kind: str, draw: Callable[[tuple[int, ...]], np.ndarray]) -> float:
    """The statistic of the whole population: in closed form where there is one, else of 2,000,000 draws."""
    if study.data is _curves:
        return float(study.statistic(CURVE[None, None])[0])
    if study.name == "paired difference of means" or (study.data is _paired and kind in ("normal", "heavy")):
        return 0.5
    if study.name == "mean":
        return MEAN[kind]
    if study.name == "ratio of means":
        return (MEAN[kind] + 4) / (1.5 * MEAN[kind] + 4)
    if study.name == "pearson":
        return float(np.sqrt(0.5))
    if study.name == "std":
        return float(np.sqrt(VARIANCE[kind]))
    # The median of 400 statistics of 5,000 seeds each: no bias that matters here.
    return float(np.median(study.statistic(study.data(draw, (400, 5000)))))


def _functional(study: Study, data: Sample) -> Callable[[np.ndarray], np.ndarray]:
    return lambda draws: study.statistic(data[:, draws]).T


def interval(study: Study, data: Sample, truth: np.ndarray, *, level: float = LEVEL) -> Interval:
    """The interval of a study's statistic less its truth, as claims make it."""
    n, functional = data.shape[1], _functional(study, data)
    if study.scale == "t":
        found = student(functional(np.arange(n)[:, None]), level=level)
        ends = (found.estimate - truth, found.low - truth, found.high - truth)
        return Interval(*ends, found.p_above, found.p_below, found.kind, found.is_constant)
    scale = {"fisher": fisher(n), "log": logarithmic()}.get(study.scale)
    size = len(data) * data.shape[2]
    return studentised(
        functional, n, level=level, threshold=truth, scale=scale, size=size, resamples=RESAMPLES
    )


MEAN = {"normal": 0.0, "skewed": float(np.exp(0.5)), "bounded": 0.8, "heavy": 0.0}
VARIANCE = {
    "normal": 1.0,
    "skewed": (np.e - 1) * np.e,
    "bounded": float(stats.beta.var(2, 0.5)),
    "heavy": 3.0,
}


def _distance(study: Study, kind: str, truth: float) -> float:
    """How far the threshold is below the truth where power is asked for.

    One standard deviation of what each seed gives; 0 for correlations; half the truth for `std`, a fifth of it
    for ratios and curves.
    """
    if study.scale == "fisher":
        return truth
    if study.name in ("std", "ratio of means") or study.data is _curves:
        return abs(truth) * (0.5 if study.name == "std" else 0.2)
    return float(np.sqrt(VARIANCE[kind] * (2 if study.data is _paired else 1)))


def _bootstraps(
    study: Study, data: Sample, truth: float, rng: np.random.Generator
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Whether the ends of the percentile bootstrap and of BCa (Efron 1987) are on their sides of the truth."""
    n, functional = data.shape[1], _functional(study, data)
    draws = np.array_split(rng.integers(0, n, size=(RESAMPLES, n)), 100)
    with np.errstate(invalid="ignore", divide="ignore"):
        values = np.sort(np.concatenate([functional(part) for part in draws]), axis=0)
        tails = np.array([(1 - LEVEL) / 2, (1 + LEVEL) / 2])[:, None]
        low, high = np.nanquantile(values, tails[:, 0], axis=0)
        yield low <= truth, truth <= high
        estimate = functional(np.arange(n)[None])[0]
        share = ((values < estimate).mean(axis=0) + (values <= estimate).mean(axis=0)) / 2
        bias = special.ndtri(np.clip(share, 1 / RESAMPLES, 1 - 1 / RESAMPLES))
        left = functional(np.array([np.delete(np.arange(n), k) for k in range(n)]))
        deviations = left.mean(axis=0) - left
        speed = np.nan_to_num((deviations**3).sum(axis=0) / (6 * (deviations**2).sum(axis=0) ** 1.5))
        normal = bias + special.ndtri(tails)
        places = special.ndtr(bias + normal / (1 - speed * normal)) * (RESAMPLES - 1)
        whole = np.nan_to_num(places).round().astype(int)
        low, high = np.take_along_axis(values, whole, axis=0)
    yield low <= truth, truth <= high


def fractions(share: float, seeds: int, *, repetitions: int) -> Coverage:
    """The exact binomial interval of a fraction of seeds."""
    rng = np.random.default_rng(seeds)
    hits = rng.binomial(seeds, share, size=repetitions)
    found = binomial(hits, seeds, level=LEVEL, threshold=np.full(repetitions, share))
    inside = float(np.mean((found.low <= 0) & (found.high >= 0)))
    below, above = float(np.mean(found.high < 0)), float(np.mean(found.low > 0))
    # The percentile bootstrap of a share is the binomial distribution of n draws at the observed share.
    ends = [stats.binom.ppf(q, seeds, hits / seeds) / seeds for q in ((1 - LEVEL) / 2, (1 + LEVEL) / 2)]
    plain = float(np.mean((ends[0] <= share) & (share <= ends[1])))
    power = float(np.mean(found.low > 0.5 - share)) if share > 0.5 else np.nan
    return Coverage("fraction", f"{share:.0%}", seeds, inside, below, above, plain, np.nan, power)


def rows(*, repetitions: int) -> Iterator[Coverage]:
    """The whole table."""
    for study in STUDIES:
        for kind in DRAW:
            for seeds in SEEDS:
                if study.scale == "fisher" and seeds < FEWEST_PAIRS:
                    yield Coverage(study.name, kind, seeds, *[np.nan] * 6)
                    continue
                few = repetitions // (4 if seeds >= MANY else 1) // (4 if study.name in SLOW else 1)
                yield coverage(study, kind, seeds, repetitions=few)
    for share in (0.5, 0.9):
        for seeds in SEEDS:
            yield fractions(share, seeds, repetitions=repetitions)


def table(found: Iterator[Coverage]) -> Iterator[str]:
    """The rows as Markdown, the numbers of seeds side by side."""
    seeds = ", ".join(map(str, SEEDS))
    covered = " | ".join(f"{n} seeds" for n in SEEDS)
    yield f"| statistic | values | {covered} | percentile, {seeds} | BCa, {seeds} | power, {seeds} |"
    yield "| --- | --- |" + " --- |" * (len(SEEDS) + 3)
    while group := list(itertools.islice(found, len(SEEDS))):
        cells = [
            "undecided"
            if np.isnan(r.inside)
            else f"{100 * r.inside:.1f} ({100 * r.below:.1f}, {100 * r.above:.1f})"
            for r in group
        ]
        columns = ([r.percentile for r in group], [r.bca for r in group], [r.power for r in group])
        cells += [_listed(column) for column in columns]
        yield f"| {group[0].study} | {group[0].kind} | {' | '.join(cells)} |"


def _listed(shares: list[float]) -> str:
    return ", ".join("–" if np.isnan(share) else f"{100 * share:.1f}" for share in shares)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=2000)
    parser.add_argument("--short", action="store_true", help="200 experiments a row")
    arguments = parser.parse_args()
    repetitions = 200 if arguments.short else arguments.repetitions
    for line in table(rows(repetitions=repetitions)):
        print(line, flush=True)


if __name__ == "__main__":
    main()
