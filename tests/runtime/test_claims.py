"""Verdicts against hand calculations: exact claims, paired seeds, quantifiers, failures, degenerate data."""

from __future__ import annotations

import math

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from gendsl.spec import (
    Axis,
    Claim,
    Coordinate,
    Label,
    Number,
    Operation,
    Quantity,
    Range,
    Spec,
    Statistic,
    Step,
    Use,
    Where,
)
from gendsl_runtime.claims.decide import decide
from gendsl_runtime.claims.evaluate import evaluate
from gendsl_runtime.claims.verdict import Verdict
from gendsl_runtime.record import Failure
from gendsl_runtime.results import Results, axis_coordinates

RUN = Axis(name="run", kind="sweep", values=(Use(step="a"), Use(step="b")), labels=("clean", "poisoned"))
WIDTH = Axis(name="width", kind="sweep", values=tuple(Number(value=w) for w in (1, 2, 4)), labels=(1, 2, 4))
X, Y = Quantity(step="m", name="x"), Quantity(step="m", name="y")


def seeds(n):
    return Axis(
        name="seed", kind="seeds", values=tuple(Number(value=i) for i in range(n)), labels=tuple(range(n))
    )


def number(value):
    return Number(value=value)


def reduce(name, *values, over=("seed",), along=None, **arguments):
    given = {key: Number(value=value) for key, value in arguments.items()}
    return Statistic(name=name, version=1, values=values, over=over, along=along, arguments=given)


def where(value, **fixed):
    axes = {"run": RUN, "width": WIDTH}
    conditions = [
        Operation(op="==", operands=(Coordinate(axis=axis), Label(axis=axis, index=place)))
        if axes[axis].kind == "sweep" and axis == "run"
        else Operation(op="==", operands=(Coordinate(axis=axis), axes[axis].values[place]))
        for axis, place in fixed.items()
    ]
    condition = conditions[0]
    for other in conditions[1:]:
        condition = Operation(op="and", operands=(condition, other))
    return Where(subject=value, condition=condition, fixed=fixed)


def minus(a, b):
    return Operation(op="-", operands=(a, b))


def results(axes, claims=(), failures=(), **quantities):
    """Results of one analysis `m` over these axes."""
    step = Step(
        name="m", kind="analysis", component="m", version=1, arguments={}, axes=tuple(a.name for a in axes)
    )
    spec = Spec(
        name="t",
        title="T",
        path="t.gen",
        text="",
        axes={axis.name: axis for axis in axes},
        steps={"m": step},
        claims=tuple(claims),
    )
    coords = {}
    for axis in axes:
        coords |= axis_coordinates(axis)
    own = ("point",)
    variables = {
        name: ((*step.axes, *own)[: np.ndim(values)], np.asarray(values, dtype=float))
        for name, values in quantities.items()
    }
    return Results(spec, {"m": xr.Dataset(variables, coords=coords)}, tuple(failures))


def claim(left, op, right, *, name="c", level=0.95, **quantifiers):
    right = number(right) if isinstance(right, int | float) else right
    return Claim(name=name, text="...", left=left, op=op, right=right, level=level, quantifiers=quantifiers)


def only(axes, statement, failures=(), **quantities):
    (verdict,) = decide(results(axes, [statement], failures, **quantities))
    return verdict


# --- numbers without replicates ----------------------------------------------------------


@pytest.mark.parametrize(
    ("op", "right", "outcome"),
    [
        ("<", 2.0, "refuted"),
        ("<=", 2.0, "supported"),
        ("==", 2.0, "supported"),
        ("!=", 2.0, "refuted"),
        (">=", 2.0, "supported"),
        (">", 1.0, "supported"),
    ],
)
def test_a_number_without_seeds_is_decided_exactly(op, right, outcome):
    verdict = only([], claim(X, op, right), x=2.0)
    assert verdict.outcome == verdict.corrected == outcome
    assert verdict.kind == "exact"
    assert verdict.p_value is None
    assert verdict.interval == (2.0 - right, 2.0 - right)


def test_a_missing_number_is_undecided():
    verdict = only([], claim(X, "<", 1), x=np.nan)
    assert verdict.outcome == "undecided"
    assert "missing" in verdict.reason


def test_exact_quantifiers():
    for word, outcome in (("all", "refuted"), ("some", "supported")):
        verdict = only([WIDTH], claim(X, ">", 1, width=word), x=[1.0, 2.0, 3.0])
        assert verdict.outcome == outcome
        assert [case.outcome for case in verdict.cases] == ["refuted", "supported", "supported"]
        assert verdict.cases[2].coordinate == {"width": 4}


# --- means over seeds --------------------------------------------------------------------


def test_the_mean_of_seeds_has_student_interval():
    x = np.array([1.0, 2.0, 4.0, 3.0, 2.5])
    test = stats.ttest_1samp(x, 1.0)
    verdict = only([seeds(5)], claim(reduce("mean", X), ">", 1), x=x)
    np.testing.assert_allclose(verdict.interval, np.array(test.confidence_interval()) - 1.0)
    assert verdict.p_value == pytest.approx(test.pvalue)
    assert verdict.outcome == "supported"
    assert verdict.kind == "t"
    assert (verdict.left, verdict.right, verdict.used) == (2.5, 1.0, 5)


def test_runs_are_paired_by_seed():
    rng = np.random.default_rng(0)
    shared = rng.normal(size=10) * 10
    x = np.stack([shared + 1 + rng.normal(size=10) * 0.1, shared])
    clean, poisoned = (reduce("mean", where(X, run=k), over=("seed",)) for k in (0, 1))
    verdict = only([RUN, seeds(10)], claim(clean, ">", poisoned), x=x)
    test = stats.ttest_rel(x[0], x[1])
    np.testing.assert_allclose(verdict.interval, test.confidence_interval())
    assert verdict.p_value == pytest.approx(test.pvalue)
    assert verdict.outcome == "supported"
    assert verdict.kind == "paired t"
    backwards = only([RUN, seeds(10)], claim(clean, "<", poisoned), x=x)
    assert backwards.outcome == "refuted"
    against = only([RUN, seeds(10)], claim(minus(clean, poisoned), ">", 1), x=x)
    assert against.outcome == "undecided"
    assert against.reason == "the interval holds 0"


def test_a_statistic_that_leaves_seeds_is_averaged_over_them():
    x = np.random.default_rng(1).normal(size=(3, 8)) + np.arange(3)[:, None]
    verdict = only([WIDTH, seeds(8)], claim(reduce("slope", X, over=("width",), along="width"), ">", 0), x=x)
    slopes = [np.polyfit([1, 2, 4], x[:, k], 1)[0] for k in range(8)]
    test = stats.ttest_1samp(slopes, 0)
    np.testing.assert_allclose(verdict.interval, test.confidence_interval())
    assert verdict.left == pytest.approx(np.mean(slopes))


def test_levels_widen_the_interval():
    x = np.array([0.5, 1.5, 2.5, 1.0, 1.2, 0.1])
    intervals = [
        only([seeds(6)], claim(reduce("mean", X), ">", 0, level=level), x=x).interval for level in (0.9, 0.99)
    ]
    expected = [stats.ttest_1samp(x, 0).confidence_interval(level) for level in (0.9, 0.99)]
    np.testing.assert_allclose(intervals, expected)


# --- other statistics --------------------------------------------------------------------


def test_rank_correlation_over_seeds_and_runs():
    rng = np.random.default_rng(2)
    y = rng.normal(size=(2, 20))
    statement = claim(reduce("spearman", X, Y, over=("run", "seed")), "<", -0.5)
    verdict = only([RUN, seeds(20)], statement, x=-y + 0.1 * rng.normal(size=(2, 20)), y=y)
    assert verdict.outcome == "supported"
    assert verdict.kind == "studentised bootstrap of seeds"
    assert -0.5 <= verdict.low < verdict.estimate < verdict.high < 0
    noise = only([RUN, seeds(20)], statement, x=rng.normal(size=(2, 20)), y=y)
    assert noise.outcome == "refuted"


def test_perfectly_ordered_seeds_do_not_make_a_correlation_certain():
    x = np.arange(5.0)
    verdict = only([seeds(5)], claim(reduce("spearman", X, Y), ">", 0.5), x=x, y=x)
    assert verdict.left == 1.0
    assert verdict.outcome == "undecided"


def test_median_interval_is_near_its_normal_theory():
    x = np.random.default_rng(3).normal(size=200)
    verdict = only([seeds(200)], claim(reduce("median", X), ">", 0), x=x)
    # The median's asymptotic standard error for normal values is 1.2533 / sqrt(n); 30 % for one sample.
    half = 1.96 * 1.2533 / math.sqrt(200)
    assert (verdict.high - verdict.low) / 2 == pytest.approx(half, rel=0.3)
    assert verdict.estimate == np.median(x)


def test_fractions_are_exact_binomial():
    holds = Operation(op=">", operands=(X, number(0.5)))
    x = np.array([1.0] * 9 + [0.0])
    verdict = only([seeds(10)], claim(reduce("fraction", holds), ">", 0.5), x=x)
    test = stats.binomtest(9, 10, 0.5)
    interval = test.proportion_ci(method="exact")
    np.testing.assert_allclose(verdict.interval, [interval.low - 0.5, interval.high - 0.5])
    assert verdict.kind == "exact binomial"
    one_sided = stats.binomtest(9, 10, 0.5, alternative="greater").pvalue
    assert verdict.p_value == pytest.approx(2 * one_sided)
    mirrored = only(
        [seeds(10)],
        Claim(name="c", text="", left=number(0.5), op="<", right=reduce("fraction", holds)),
        x=x,
    )
    assert mirrored.outcome == verdict.outcome == "supported"
    assert mirrored.low == pytest.approx(-verdict.high)


def test_extremes_over_seeds_are_facts_about_the_runs_made():
    verdict = only([seeds(4)], claim(reduce("lowest", X), ">=", 0.99), x=[1.0, 0.995, 1.0, 0.99])
    assert verdict.outcome == "supported"
    assert verdict.kind == "the runs made"
    assert "47% of all" in verdict.reason  # 0.05 ** (1 / 4)
    assert verdict.p_value is None
    some = only([seeds(4)], claim(reduce("highest", X), ">=", 0.99), x=[1.0, 0.995, 1.0, 0.99])
    assert some.outcome == "supported"
    assert "of all" not in some.reason


def test_a_mean_against_the_lowest_of_a_curve():
    rng = np.random.default_rng(4)
    x = rng.normal(size=(3, 10)) * 0.1 + np.array([3.0, 2.0, 1.0])[:, None]
    last = reduce("mean", where(X, width=2))
    before = Where(
        subject=X, condition=Operation(op="in", operands=(Coordinate(axis="width"), Range(low=1, high=2)))
    )
    verdict = only(
        [WIDTH, seeds(10)], claim(last, "<", reduce("lowest", before, over=("width",), along="width")), x=x
    )
    test = stats.ttest_1samp(x[2] - x[:2].min(axis=0), 0)
    np.testing.assert_allclose(verdict.interval, test.confidence_interval())
    assert verdict.outcome == "supported"


def test_a_sample_of_whole_seeds_is_drawn_alike_for_every_run():
    x = np.arange(6.0).reshape(2, 3)
    found = evaluate(reduce("mean", X), results([RUN, seeds(3)], x=x), draws=np.array([[0, 0, 2], [1, 1, 1]]))
    assert found.dims == ("run", "resample") or found.dims == ("resample", "run")
    np.testing.assert_allclose(found.sel(run="clean"), [2 / 3, 1])
    np.testing.assert_allclose(found.sel(run="poisoned"), [2 / 3 + 3, 4])


def test_deviations_from_a_mean_use_the_same_draw():
    deviation = Operation(op="**", operands=(minus(X, reduce("mean", X)), number(2)))
    draws = np.array([[0, 0, 2], [1, 2, 2]])
    x = np.array([1.0, 5.0, 9.0])
    found = evaluate(reduce("mean", deviation), results([seeds(3)], x=x), draws=draws)
    np.testing.assert_allclose(found, x[draws].var(axis=1))


# --- quantifiers -------------------------------------------------------------------------


def test_for_all_and_for_some_keep_the_level():
    rng = np.random.default_rng(5)
    x = rng.normal(size=(3, 10)) + np.array([5.0, 5.0, 0.2])[:, None]
    tests = [stats.ttest_1samp(row, 0, alternative="greater").pvalue for row in x]
    against = [stats.ttest_1samp(row, 0, alternative="less").pvalue for row in x]
    everywhere = only([WIDTH, seeds(10)], claim(reduce("mean", X), ">", 0, width="all"), x=x)
    assert everywhere.p_true == pytest.approx(max(tests))
    assert everywhere.p_false == pytest.approx(min(1, 3 * min(against)))
    assert everywhere.outcome == "undecided"
    somewhere = only([WIDTH, seeds(10)], claim(reduce("mean", X), ">", 0, width="some"), x=x)
    assert somewhere.p_true == pytest.approx(3 * min(tests))
    assert somewhere.p_false == pytest.approx(max(against))
    assert somewhere.outcome == "supported"
    assert somewhere.estimate == pytest.approx(x.mean(axis=1)[np.argmin(tests)])
    refuted = only([WIDTH, seeds(10)], claim(reduce("mean", X), "<", 1, width="all"), x=x)
    assert refuted.outcome == "refuted"


def test_quantifiers_nest_in_their_order():
    # Each run has a width above 0; no width is above 0 in both runs.
    x = np.array([[1.0, -1, -1], [-1, 1, -1]])
    each = claim(X, ">", 0, run="all", width="some")
    assert only([RUN, WIDTH], each, x=x).outcome == "supported"
    one = claim(X, ">", 0, width="some", run="all")
    assert only([RUN, WIDTH], one, x=x).outcome == "refuted"


def test_coordinates_that_are_not_chosen_are_not_asked_about():
    some = Where(subject=X, condition=Operation(op=">", operands=(Coordinate(axis="width"), number(1.5))))
    verdict = only(
        [WIDTH, seeds(4)], claim(reduce("mean", some), ">", 0), x=np.array([[-1.0], [1], [1]]) + np.zeros(4)
    )
    assert [case.coordinate["width"] for case in verdict.cases] == [2, 4]
    assert verdict.outcome == "supported"


# --- Holm --------------------------------------------------------------------------------


def test_holm_over_the_file():
    rng = np.random.default_rng(6)
    x = rng.normal(size=12) + 0.9
    claims = [claim(reduce("mean", X), ">", t, name=f"c{t}") for t in (0.0, 0.1, 0.2)]
    claims.append(claim(number(1), "<", 2, name="sure"))
    verdicts = decide(results([seeds(12)], claims, x=x))
    p = sorted(min(v.p_true, v.p_false) for v in verdicts[:3])
    expected = np.maximum.accumulate(np.minimum(1, np.array([6, 5, 4]) * p))
    np.testing.assert_allclose(sorted(v.corrected_p for v in verdicts[:3]), expected)
    assert verdicts[3].corrected == "supported"
    assert verdicts[3].corrected_p is None


def test_one_claim_needs_no_correction():
    x = np.random.default_rng(7).normal(size=9) + 1
    verdict = only([seeds(9)], claim(reduce("mean", X), ">", 0), x=x)
    assert verdict.corrected_p == pytest.approx(verdict.p_value)
    assert verdict.corrected == verdict.outcome


# --- failures and degenerate data --------------------------------------------------------


def test_a_seed_with_a_diverged_run_is_left_out_whole():
    rng = np.random.default_rng(8)
    x = rng.normal(size=(2, 10)) + np.array([[2.0], [0]])
    x[0, 3] = np.nan
    statement = claim(reduce("mean", where(X, run=0)), ">", reduce("mean", where(X, run=1)))
    verdict = only([RUN, seeds(10)], statement, [Failure("a", {"seed": 3}, "diverged")], x=x)
    kept = np.delete(x, 3, axis=1)
    np.testing.assert_allclose(verdict.interval, stats.ttest_rel(kept[0], kept[1]).confidence_interval())
    assert (verdict.used, verdict.missing) == (9, 1)
    assert "1 of 10 seeds is left out" in verdict.warnings[0]
    assert "diverged: 1" in verdict.warnings[0]


def test_failures_elsewhere_cost_nothing():
    x = np.random.default_rng(9).normal(size=(2, 10))
    x[1, 3] = np.nan
    verdict = only([RUN, seeds(10)], claim(reduce("mean", where(X, run=0)), ">", 0), x=x)
    assert (verdict.used, verdict.missing, verdict.warnings) == (10, 0, ())


def test_cells_lose_their_own_seeds_only():
    x = np.random.default_rng(10).normal(size=(3, 6))
    x[1, 2] = x[2, 0] = x[2, 1] = np.nan
    verdict = only([WIDTH, seeds(6)], claim(reduce("mean", X), "<", 10), x=x)
    assert [case.used for case in verdict.cases] == [6, 5, 4]
    for case, row in zip(verdict.cases, x, strict=True):
        assert case.left == pytest.approx(np.nanmean(row))


def test_padding_of_own_axes_is_no_failure():
    x = np.arange(12.0).reshape(4, 3) ** 2
    x[1, 2] = np.nan
    verdict = only([seeds(4)], claim(reduce("mean", reduce("highest", X, over=("point",))), ">", 0), x=x)
    assert verdict.missing == 0
    assert verdict.left == pytest.approx(np.nanmax(x, axis=1).mean())


def test_a_point_of_an_own_axis_is_picked_by_its_label():
    x = np.arange(15.0).reshape(5, 3) ** 2
    x[1, 2] = np.nan
    found = results([seeds(5)], x=x)
    found = Results(found.spec, {"m": found["m"].assign_coords(point=[0.0, 5.0, 10.0])})
    at = Operation(op="==", operands=(Coordinate(axis="point"), number(10.0)))
    picked = Where(subject=X, condition=at, picked={"point": 10.0})
    verdict = _decided(found, claim(reduce("mean", picked), ">", 0))
    assert verdict.left == pytest.approx(np.nanmean(x[:, 2]))
    assert (verdict.used, verdict.missing) == (4, 1)
    nowhere = Where(subject=X, condition=at, picked={"point": 7.0})
    assert _decided(found, claim(reduce("mean", nowhere), ">", 0)).outcome == "undecided"


def _decided(found, statement):
    spec = found.spec.model_copy(update={"claims": (statement,)})
    return decide(Results(spec, found.datasets))[0]


@pytest.mark.parametrize("n", [1, 2])
def test_fewer_than_three_seeds_decide_nothing(n):
    verdict = only([seeds(n)], claim(reduce("mean", X), ">", 0), x=np.arange(n) + 5.0)
    assert verdict.outcome == "undecided"
    assert f"{n} usable seed" in verdict.reason
    assert verdict.interval == (-math.inf, math.inf)


def test_all_seeds_missing():
    verdict = only([seeds(4)], claim(reduce("mean", X), ">", 0), x=np.full(4, np.nan))
    assert verdict.outcome == "undecided"
    assert (verdict.used, verdict.missing) == (0, 4)


def test_few_seeds_are_a_warning():
    verdict = only([seeds(4)], claim(reduce("mean", X), ">", 0), x=[1.0, 2, 1, 2])
    assert verdict.warnings == (
        "only 4 seeds: intervals are wide and rest on their values being near to normal",
    )


@pytest.mark.parametrize(("op", "outcome"), [(">=", "supported"), ("<", "refuted"), ("==", "supported")])
def test_seeds_that_do_not_vary_are_said_to(op, outcome):
    verdict = only([seeds(10)], claim(reduce("mean", X), op, 0.95), x=np.full(10, 0.95))
    assert verdict.outcome == outcome
    assert "no width" in verdict.reason
    assert verdict.estimate == 0.0


def test_equality_can_be_refuted_only():
    x = np.random.default_rng(11).normal(size=20)
    near = only([seeds(20)], claim(reduce("mean", X), "==", 0), x=x - x.mean())
    assert near.outcome == "undecided"
    assert "never show" in near.reason
    far = only([seeds(20)], claim(reduce("mean", X), "==", 9), x=x)
    assert far.outcome == "refuted"
    assert only([seeds(20)], claim(reduce("mean", X), "!=", 9), x=x).outcome == "supported"


def test_infinite_values_are_undecided():
    verdict = only([seeds(5)], claim(reduce("mean", X), ">", 0), x=[1.0, np.inf, 1, 1, 1])
    assert verdict.outcome == "undecided"
    assert "infinite" in verdict.reason


def test_verdicts_are_the_same_every_time():
    rng = np.random.default_rng(12)
    x, y = rng.normal(size=(2, 2, 10))
    statement = claim(reduce("spearman", X, Y, over=("run", "seed")), "<", -0.5)
    first = only([RUN, seeds(10)], statement, x=x, y=y)
    assert only([RUN, seeds(10)], statement, x=x, y=y) == first


def test_lopsided_seeds_are_a_warning():
    x = np.array([0.1, 0.2, 0.1, 0.15, 0.12, 0.11, 0.13, 0.2, 0.1, 9.0])
    verdict = only([seeds(10)], claim(reduce("mean", X), ">", 0), x=x)
    assert "lopsided" in verdict.warnings[0]


def test_the_rise_of_a_mean_curve_keeps_its_level():
    rng = np.random.default_rng(14)
    mean_curve = reduce("mean", X)
    statement = claim(reduce("rise", mean_curve, over=(), along="width"), ">", 0)
    wrong = 0
    for _ in range(200):
        wrong += only([WIDTH, seeds(8)], statement, x=rng.normal(size=(3, 8))).outcome != "undecided"
    # 5 % of 200, and three standard errors of that count.
    assert wrong <= 10 + 3 * math.sqrt(9.5)
    x = rng.normal(size=(3, 8)) * 0.1 + np.array([0.0, 2.0, 1.0])[:, None]
    verdict = only([WIDTH, seeds(8)], statement, x=x)
    assert (verdict.outcome, verdict.kind) == ("supported", "simultaneous t")
    assert verdict.estimate == pytest.approx(x[1].mean() - x[0].mean())
    pairs = [x[j] - x[i] for i in range(3) for j in range(i + 1, 3)]
    assert verdict.p_true == pytest.approx(
        3 * min(stats.ttest_1samp(pair, 0, alternative="greater").pvalue for pair in pairs)
    )
    highs = [stats.ttest_1samp(pair, 0).confidence_interval().high for pair in pairs]
    assert verdict.high == pytest.approx(max(highs))


def test_the_lowest_of_a_mean_curve_is_for_all():
    x = np.random.default_rng(15).normal(size=(3, 8)) + np.array([5.0, 4.0, 6.0])[:, None]
    verdict = only(
        [WIDTH, seeds(8)], claim(reduce("lowest", reduce("mean", X), over=("width",)), ">", 0), x=x
    )
    worst = max(stats.ttest_1samp(row, 0, alternative="greater").pvalue for row in x)
    assert verdict.p_true == pytest.approx(worst)
    assert verdict.estimate == pytest.approx(x.mean(axis=1).min())


def test_the_mean_of_rises_is_a_warning():
    x = np.random.default_rng(16).normal(size=(3, 8))
    verdict = only([WIDTH, seeds(8)], claim(reduce("rise", X, over=(), along="width"), ">", 0), x=x)
    assert "noise alone" in verdict.warnings[-1]


def test_an_extreme_mixed_with_a_mean_is_a_warning():
    x = np.random.default_rng(13).normal(size=8)
    verdict = only([seeds(8)], claim(minus(reduce("mean", X), reduce("lowest", X)), ">", 0), x=x)
    assert verdict.kind == "studentised bootstrap of seeds"
    assert "average first" in verdict.warnings[-1]


# --- whatever the data -----------------------------------------------------------------------

VALUES = st.floats(-1e3, 1e3) | st.sampled_from([0.0, 1.0, math.nan, math.inf])


@settings(max_examples=25, deadline=None)
@given(
    x=hnp.arrays(np.float64, (2, 6), elements=VALUES),
    name=st.sampled_from(["mean", "median", "lowest", "std", "rise"]),
    op=st.sampled_from(["<", "<=", "==", "!=", ">=", ">"]),
)
def test_any_data_give_a_verdict_and_its_mirror_image(x, name, op):
    def value(run):
        inside = where(X, run=run)
        if name == "rise":
            return reduce("rise", inside, over=(), along="seed")
        return reduce(name, inside)

    verdict = only([RUN, seeds(6)], claim(value(0), op, value(1)), x=x)
    mirrored = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}.get(op, op)
    mirror = only([RUN, seeds(6)], claim(value(1), mirrored, value(0)), x=x)
    assert verdict.outcome in ("supported", "refuted", "undecided")
    assert verdict.outcome == mirror.outcome
    assert verdict.used + verdict.missing == 6
    assert Verdict.restored(verdict.record()) == verdict or math.isnan(verdict.estimate)
    if verdict.outcome != "undecided":
        assert verdict.low <= verdict.estimate <= verdict.high


@settings(max_examples=15, deadline=None)
@given(x=hnp.arrays(np.float64, 7, elements=st.floats(-100, 100)), order=st.permutations(range(7)))
def test_the_order_of_seeds_does_not_matter_to_a_mean(x, order):
    statement = claim(reduce("mean", X), ">", 0.5)
    first, second = (only([seeds(7)], statement, x=values) for values in (x, x[list(order)]))
    assert first.outcome == second.outcome
    np.testing.assert_allclose(first.interval, second.interval, rtol=1e-9, atol=1e-9)
