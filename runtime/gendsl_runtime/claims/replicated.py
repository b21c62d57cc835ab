"""Cases of claims that vary with seeds: left minus right with an interval, from whole seeds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr

from gendsl import spec
from gendsl.spec.operators import COMPARISONS
from gendsl_runtime.claims.caveats import Found, caveats
from gendsl_runtime.claims.evaluate import RESAMPLE, coordinate, drawn, evaluate, replicate_axis
from gendsl_runtime.claims.exact import coordinates, exact_case
from gendsl_runtime.claims.peaks import PEAKS, peak
from gendsl_runtime.claims.places import one_way, place
from gendsl_runtime.claims.quantify import outcome_of
from gendsl_runtime.claims.replicates import selections, standing
from gendsl_runtime.claims.resample import (
    Functional,
    Interval,
    Scale,
    binomial,
    fisher,
    logarithmic,
    skewness,
    student,
    studentised,
)
from gendsl_runtime.claims.shape import CORRELATIONS, Lone, Shape, has_correlation, lone, lone_curve, shape_of
from gendsl_runtime.claims.undefined import why
from gendsl_runtime.claims.verdict import Case, Label
from gendsl_runtime.results import Results

MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
"""A comparison with its sides exchanged."""
FEWEST = 3
"""Replicates below which nothing is decided: two points say nothing of their own spread."""
FEWEST_PAIRS = 5
"""The same for correlations over seeds: of three pairs a stated 95% of Pearson's held the truth in 52 %."""


def replicated_cases(claim: spec.Claim, results: Results) -> tuple[list[Case], tuple[str, ...]]:
    """The cases of a claim, one for each coordinate it has left, and what to warn of."""
    # Values that are not finite make a case undecided; numpy need not speak of them as well.
    with np.errstate(all="ignore"):
        return _Replicated(claim, results).cases()


@dataclass(frozen=True)
class _Cells:
    """The cells that can use the same seeds: `places` on the replicate axis, `at` among all cells."""

    places: np.ndarray
    at: np.ndarray


class _Replicated:
    """One claim against its results."""

    def __init__(self, claim: spec.Claim, results: Results) -> None:
        self.claim, self.results = claim, results
        self.seed = str(replicate_axis(results.spec))
        self.difference = spec.Operation(op="-", operands=(claim.left, claim.right))
        self.shape = shape_of(self.difference, results.spec, self.seed)
        everything = np.arange(len(results.spec.axes[self.seed].values))[None]
        self.skew = 0.0
        self.whole = self._over_seeds(self.difference, everything).isel({RESAMPLE: 0})

    def cases(self) -> tuple[list[Case], tuple[str, ...]]:
        usable, missing = self._standing()
        labels = coordinates(self.whole)
        found: dict[int, Case] = {}
        for cells in _groups(usable):
            for case, at in zip(self._decided(cells, labels), cells.at, strict=True):
                found[int(at)] = replace(case, missing=int(missing[:, at].sum()))
        cases = [found[at] for at in sorted(found)]
        found_of = Found(self.results, self.difference, self.shape, self.skew)
        return cases, tuple(caveats(cases, found_of, total=len(usable)))

    def _standing(self) -> tuple[np.ndarray, np.ndarray]:
        """Usable and missing seeds of every cell, `(seeds, cells)`."""
        sides = (self.claim.left, self.claim.right)
        arrays = standing(sides, self.results, left=[str(dim) for dim in self.whole.dims])
        aligned = xr.align(self.whole, *arrays, join="inner")
        _, usable, missing = xr.broadcast(*aligned)
        order = (self.seed, *self.whole.dims)
        size = usable.sizes[self.seed]
        flat = [array.transpose(*order).values.reshape(size, -1) for array in (usable, missing)]
        return flat[0], flat[1]

    def _over_seeds(self, value: spec.Value, draws: np.ndarray) -> xr.DataArray:
        """An expression for each draw of seeds, averaged over seeds where it has left them."""
        array = evaluate(value, self.results, draws=draws)
        if self.seed in array.dims:
            array = drawn(array, self.seed, xr.DataArray(draws, dims=(RESAMPLE, self.seed)))
            array = array.mean(self.seed)
        if RESAMPLE not in array.dims:
            array = array.expand_dims({RESAMPLE: len(draws)})
        return array.transpose(RESAMPLE, ...)

    def _functional(self, value: spec.Value, cells: _Cells) -> Functional:
        """An expression as a function of drawn seeds, at these cells."""

        def functional(draws: np.ndarray) -> np.ndarray:
            array = self._over_seeds(value, cells.places[draws])
            _, array = xr.broadcast(*xr.align(self.whole, array, join="inner"))
            ordered = array.transpose(RESAMPLE, *self.whole.dims)
            return ordered.values.reshape(len(draws), -1)[:, cells.at]

        return functional

    def _decided(self, cells: _Cells, labels: list[dict[str, Label]]) -> Iterator[Case]:
        n = len(cells.places)
        together = np.arange(n)[None]
        left, right = (
            self._functional(side, cells)(together)[0] if n else np.full(len(cells.at), np.nan)
            for side in (self.claim.left, self.claim.right)
        )
        chosen = [labels[at] for at in cells.at]
        fewest = FEWEST_PAIRS if has_correlation(self.difference, self.seed) else FEWEST
        if n < fewest:
            yield from (_too_few(n, fewest, *item) for item in zip(left, right, chosen, strict=True))
        elif self.shape == Shape.EXTREME:
            yield from (self._of_runs_made(n, *item) for item in zip(left, right, chosen, strict=True))
        else:
            interval = self._interval(cells, left, right)
            for k, coordinate in enumerate(chosen):
                estimate, low, high = (float(v[k]) for v in (interval.estimate, interval.low, interval.high))
                sides = float(left[k]), float(right[k])
                case = Case(coordinate, "undecided", estimate, low, high, *sides, used=n, kind=interval.kind)
                yield self._judged(case, interval, k)

    def _of_runs_made(self, n: int, left: float, right: float, coordinate: dict[str, Label]) -> Case:
        """The case of the lowest or highest over seeds: a plain fact about the runs that were made.

        At confidence L, n runs that all have a property show that at least a share `(1 - L)^(1/n)` of all
        runs has it (S. S. Wilks, "Determination of sample sizes for setting tolerance limits", Ann. Math.
        Statist. 12, 1941).
        """
        case = exact_case(self.claim.op, float(left), float(right), coordinate=coordinate)
        reason = f"a lowest or highest value speaks of the {n} seeds that were run"
        if case.outcome == "supported" and self._is_of_every_run():
            share = (1 - self.claim.level) ** (1 / n)
            reason += f"; with {100 * self.claim.level:.4g}% confidence it holds for {share:.0%} of all seeds"
        return replace(case, used=n, kind="the runs made", reason=case.reason or reason)

    def _is_of_every_run(self) -> bool:
        """Whether the claim says that each run is on the right side: `lowest(x) >= 99%`."""
        alone = lone(self.claim, self.results.spec, self.seed)
        if alone is None:
            return False
        above = (">", ">=") if alone.is_left else ("<", "<=")
        below = ("<", "<=") if alone.is_left else (">", ">=")
        return self.claim.op in (above if alone.statistic.name == "lowest" else below)

    def _interval(self, cells: _Cells, left: np.ndarray, right: np.ndarray) -> Interval:
        n, level, difference = len(cells.places), self.claim.level, self._functional(self.difference, cells)
        curve = lone_curve(self.claim, self.results.spec, self.seed)
        if curve is not None and (found := self._of_curve(curve, cells, right if curve.is_left else left)):
            return found.times(1 if curve.is_left else -1)
        alone = lone(self.claim, self.results.spec, self.seed)
        if alone is not None:
            sign = 1 if alone.is_left else -1
            statistic, threshold = (left, right) if alone.is_left else (right, left)
            functional, name = self._functional(alone.statistic, cells), alone.statistic.name
            each = functional(np.arange(n)[:, None]) if name == "fraction" else np.full((1, 1), np.nan)
            if np.isin(each, (0.0, 1.0)).all():
                return binomial(each.sum(axis=0), n, level=level, threshold=threshold).times(sign)
            scale = _scale(name, n, statistic, threshold)
            if scale is not None:
                found = studentised(
                    functional, n, level=level, threshold=threshold, scale=scale, size=self._size()
                )
                return found.times(sign)
        if self.shape <= Shape.LINEAR:
            each, together = difference(np.arange(n)[:, None]), difference(np.arange(n)[None])[0]
            if np.allclose(each.mean(axis=0), together, rtol=1e-9, atol=1e-12, equal_nan=True):
                self.skew = max(self.skew, float(np.abs(skewness(each)).max()))
                return replace(student(each, level=level), kind=self._t_kind())
        nothing = np.zeros(len(cells.at))
        return studentised(difference, n, level=level, threshold=nothing, size=self._size())

    def _of_curve(self, curve: Lone, cells: _Cells, threshold: np.ndarray) -> Interval | None:
        """The interval of a peak, a place or the direction of a mean curve; None where it has no such tests."""
        statistic, level = curve.statistic, self.claim.level
        found = self._points(statistic, cells)
        if found is None:
            return None
        values, points = found
        if statistic.name in PEAKS:
            return peak(statistic.name, values, level=level, threshold=threshold)
        op = self.claim.op if curve.is_left else MIRRORED.get(self.claim.op, self.claim.op)
        if statistic.name != "monotone":
            return place(statistic.name, values, points, op=op, level=level, threshold=threshold)
        direction = statistic.arguments["direction"]
        rising = isinstance(direction, spec.Choice) and direction.name == "rising"
        return one_way(values, rising=rising, op=op, level=level, threshold=threshold)

    def _points(self, statistic: spec.Statistic, cells: _Cells) -> tuple[np.ndarray, np.ndarray] | None:
        """The curve that a peak is taken of, for each seed, `(seeds, points, cells)`, and its coordinates.

        Their average is the curve that the claim speaks of; None where seeds weigh unequally in that.
        """
        value, n = statistic.values[0], len(cells.places)
        dims = [statistic.along] if statistic.along else list(statistic.over)
        each, together = (
            self._over_seeds(value, cells.places[draws])
            for draws in (np.arange(n)[:, None], np.arange(n)[None])
        )
        if not np.allclose(each.mean(RESAMPLE), together.isel({RESAMPLE: 0}), rtol=1e-9, atol=1e-12):
            return None
        each = xr.broadcast(*xr.align(self.whole, each, join="inner"))[1]
        points = np.empty(0)
        if statistic.along:
            each = each.sortby(statistic.along)
            at = coordinate(spec.Coordinate(axis=statistic.along), self.results)
            points = at.sel({statistic.along: each.indexes[statistic.along]}).values
        ordered = each.transpose(RESAMPLE, *dims, *self.whole.dims)
        return ordered.values.reshape(n, -1, max(1, self.whole.size))[:, :, cells.at], points

    def _t_kind(self) -> str:
        sides = (self.claim.left, self.claim.right)
        chosen = {repr(selection) for side in sides for selection in selections(side)}
        return "paired t" if len(chosen) > 1 else "t"

    def _size(self) -> int:
        """Numbers that one draw of one seed touches."""
        found = (quantity for side in (self.claim.left, self.claim.right) for quantity, _ in selections(side))
        arrays = [self.results.quantity(quantity) for quantity in found]
        return max(1, *(array.size // max(1, array.sizes.get(self.seed, 1)) for array in arrays))

    def _judged(self, case: Case, interval: Interval, k: int) -> Case:
        """The case with its p-values for the claim's own direction, and what they decide."""
        numbers = (case.estimate, case.left, case.right)
        if not np.isfinite(numbers).all() or np.isnan((case.low, case.high)).any():
            reason = "; ".join(filter(None, ("a value is infinite or not a number", why(self.difference))))
            return replace(case, low=-np.inf, high=np.inf, reason=reason)
        lost = 0.0 if interval.lost is None else float(interval.lost[k])
        if lost > (1 - self.claim.level) / 2:
            reason = f"the statistic has no value in {lost:.0%} of the resamples of seeds"
            reason = "; ".join(filter(None, (reason, why(self.difference))))
            return replace(case, low=-np.inf, high=np.inf, reason=reason)
        op, above, below = self.claim.op, float(interval.p_above[k]), float(interval.p_below[k])
        if interval.is_constant[k]:
            is_true = COMPARISONS[op](case.estimate, 0.0)
            p_true, p_false = (0.0, 1.0) if is_true else (1.0, 0.0)
            reason = f"all {case.used} seeds give the same, so the interval has no width"
        else:
            p_true, p_false = (above, below) if interval.is_directed else _directed(op, above, below)
            reason = ""
        outcome = outcome_of(p_true, p_false, level=self.claim.level)
        if outcome == "undecided":
            reason = "the interval holds 0"
            if op == "==" and not interval.is_directed:
                reason = "data that vary can refute equality, never show it"
        return replace(case, p_true=p_true, p_false=p_false, outcome=outcome, reason=reason)


def _groups(usable: np.ndarray) -> Iterator[_Cells]:
    """The cells by the seeds they can use."""
    patterns, which = np.unique(usable, axis=1, return_inverse=True)
    for k in range(patterns.shape[1]):
        yield _Cells(np.flatnonzero(patterns[:, k]), np.flatnonzero(which == k))


def _too_few(n: int, fewest: int, left: float, right: float, coordinate: dict[str, Label]) -> Case:
    reason = f"{n} usable seed{'' if n == 1 else 's'}, at least {fewest} are needed"
    sides = float(left), float(right)
    return Case(
        coordinate,
        "undecided",
        float(left - right),
        -np.inf,
        np.inf,
        *sides,
        used=n,
        kind="none",
        reason=reason,
    )


def _directed(op: str, above: float, below: float) -> tuple[float, float]:
    """p-values against "the statement is false" and against "it is true"."""
    either = min(above, below)
    directed: dict[str, Callable[[], tuple[float, float]]] = {
        "==": lambda: (1.0, either),
        "!=": lambda: (either, 1.0),
    }
    if op in directed:
        return directed[op]()
    return (above, below) if op in (">", ">=") else (below, above)


def _scale(name: str, n: int, statistic: np.ndarray, threshold: np.ndarray) -> Scale | None:
    """The scale on which a lone statistic over seeds is compared with its threshold; None for its own."""
    if name in CORRELATIONS and (np.abs(threshold) < 1).all():
        return fisher(n)
    return logarithmic() if name == "std" and (threshold > 0).all() and (statistic > 0).all() else None
