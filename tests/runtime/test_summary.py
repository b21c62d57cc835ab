"""The table of means over seeds against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from gendsl.spec import Axis, Number, Spec, Step, Use
from gendsl_runtime.results import collect
from gendsl_runtime.summary import summary

SEED = Axis(
    name="seed", kind="seeds", values=tuple(Number(value=i) for i in range(5)), labels=tuple(range(5))
)
RUN = Axis(name="run", kind="sweep", values=(Use(step="a"), Use(step="b")), labels=("a", "b"))
GIVES = {"m": {"x": ("nats", ()), "curve": ("1", ("epoch",))}}


def collected(axes, payloads):
    step = Step(name="m", kind="analysis", component="m", version=1, arguments={}, axes=axes)
    spec = Spec(name="t", title="", path="", text="", axes={"run": RUN, "seed": SEED}, steps={"m": step})
    return collect(spec, {"m": payloads}, gives=GIVES)


def test_means_over_seeds_have_student_intervals():
    x = np.random.default_rng(0).normal(size=(2, 5))
    payloads = [{"x": np.array(v), "curve": np.array([v, 2 * v])} for v in x.ravel()]
    payloads[7] = None
    results = collected(("run", "seed"), payloads)
    first, second = summary(results, "m")
    expected = stats.ttest_1samp(x[0], 0).confidence_interval()
    assert (first.coordinate, first.quantity, first.unit) == ({"run": "a"}, "x", "nats")
    assert (first.low, first.high) == pytest.approx(tuple(expected))
    assert (first.n, first.missing) == (5, 0)
    assert (second.n, second.missing) == (4, 1)
    assert second.mean == pytest.approx(np.delete(x[1], 2).mean())
    rows = summary(results, "m", own_axes=True)
    assert len(rows) == 2 + 4
    assert rows[3].coordinate == {"run": "a", "epoch": 1}
    assert rows[3].mean == pytest.approx(2 * first.mean)


def test_a_value_without_seeds_is_its_own_mean():
    (row,) = summary(collected((), [{"x": np.array(3.0), "curve": np.zeros(2)}]), "m")
    assert (row.mean, row.n, row.missing) == (3.0, 1, 0)
    assert np.isnan(row.low)


def test_nothing_there_is_nan():
    (row, _) = summary(collected(("run", "seed"), [None] * 10), "m")
    assert np.isnan(row.mean)
    assert (row.n, row.missing) == (0, 5)
