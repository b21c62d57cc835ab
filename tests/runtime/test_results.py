"""Payloads become labelled arrays, go to disk as tables and come back the same."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from gendsl.spec import Axis, Claim, Component, Items, Number, Quantity, Spec, Step, Use
from gendsl_runtime.archive import load, save
from gendsl_runtime.claims.holm import corrected
from gendsl_runtime.claims.quantify import joined
from gendsl_runtime.claims.verdict import Case
from gendsl_runtime.record import Failure, RunRecord, StepRecord
from gendsl_runtime.results import collect

SEED = Axis(name="seed", kind="seeds", values=tuple(Number(value=i) for i in range(3)), labels=(0, 1, 2))
RUN = Axis(name="run", kind="sweep", values=(Use(step="a"), Use(step="b")), labels=("clean", "poisoned"))
PAIR = Axis(
    name="lr_batch",
    kind="sweep",
    values=tuple(
        Items(items=(Number(value=lr), Component(kind="schedule", name=s, version=1, arguments={})))
        for lr, s in ((0.1, "cosine"), (0.8, "step"))
    ),
    labels=((0.1, "cosine"), (0.8, "step")),
    parts=("lr", "schedule"),
)
GIVES = {
    "ball": {"volume": ("nats", ()), "radius": ("1", ("ray",))},
    "past": {"loss": ("nats", ("epoch",))},
    "lone": {"run": ("1", ())},
}


def specification(**steps: Step) -> Spec:
    axes = {axis.name: axis for axis in (SEED, RUN, PAIR)}
    return Spec(name="x", title="X", path="x.gen", text="", axes=axes, steps=steps)


def step(name: str, component: str, *axes: str) -> Step:
    return Step(name=name, kind="analysis", component=component, version=1, arguments={}, axes=axes)


def example():
    spec = specification(
        vol=step("vol", "ball", "run", "lr_batch", "seed"),
        curve=step("curve", "past", "seed"),
        odd=step("odd", "lone", "run"),
    )
    balls = [{"volume": np.array(float(i)), "radius": np.arange(4.0) + i} for i in range(12)]
    curves = [
        {"loss": np.array([3.0, 2.0, 1.0]), "epoch": np.array([0, 1, 2])},
        None,
        {"loss": np.array([9.0, 8.0]), "epoch": np.array([0, 4])},
    ]
    nodes = {"vol": balls, "curve": curves, "odd": [{"run": np.array(1)}, {"run": np.array(2)}]}
    failures = [Failure("curve", {"seed": 1}, "diverged")]
    return collect(spec, nodes, failures, gives=GIVES)


def test_nodes_are_placed_in_c_order_with_labels():
    vol = example()["vol"]
    assert vol.volume.dims == ("run", "lr_batch", "seed")
    assert vol.radius.dims == ("run", "lr_batch", "seed", "ray")
    assert vol.volume.attrs["unit"] == "nats"
    assert float(vol.volume.sel(run="poisoned", seed=1, lr_batch="0.8, step")) == 10.0
    np.testing.assert_array_equal(vol.radius.sel(run="clean", seed=2).isel(lr_batch=1), np.arange(4) + 5.0)
    np.testing.assert_array_equal(vol.lr, [0.1, 0.8])
    assert list(vol.schedule.values) == ["cosine", "step"]
    assert vol.lr.dims == ("lr_batch",)


def test_own_axes_of_unequal_length_are_joined_and_failures_are_nan():
    results = example()
    loss = results["curve"].loss
    np.testing.assert_array_equal(loss.epoch, [0, 1, 2, 4])
    expected = [[3, 2, 1, np.nan], [np.nan] * 4, [9, np.nan, np.nan, 8]]
    np.testing.assert_array_equal(loss.values, expected)
    assert results.failures[0].coordinate == {"seed": 1}


def test_a_quantity_named_like_an_axis_gives_way():
    results = example()
    np.testing.assert_array_equal(results.quantity(Quantity(step="odd", name="run")), [1, 2])


def test_unknown_analysis_lists_what_there_is():
    with pytest.raises(KeyError, match="vol, curve, odd"):
        example()["bol"]


def test_wrong_number_of_nodes_is_refused():
    spec = specification(vol=step("vol", "ball", "run"))
    with pytest.raises(ValueError, match="1 nodes"):
        collect(spec, {"vol": [None]}, gives=GIVES)


def test_round_trip(tmp_path: Path):
    results = example()
    record = RunRecord(
        run="x-001",
        started="2026-01-01T00:00:00Z",
        seconds=1.5,
        command=("gen", "run", "x.gen"),
        device="cpu",
        versions={"torch": "2"},
        machine={},
        steps=(StepRecord("vol", "analysis", "ball", 12, 12, 0, 0, 0.5, inputs=("clean",)),),
        failures=results.failures,
    )
    case = Case({"run": "clean"}, "undecided", math.nan, -math.inf, 2.0, 1.0, math.nan, used=2, reason="why")
    claim = Claim(name="c", text="x < 1", left=Number(value=1), op="<", right=Number(value=2))
    verdicts = corrected([joined(claim, [case], ["few seeds"])])
    results = replace(results, record=record, verdicts=verdicts)
    files = save(results, tmp_path)
    assert {file.name for file in files} == {
        "results.json",
        "vol.parquet",
        "vol.ray.parquet",
        "curve.epoch.parquet",
        "odd.parquet",
    }
    again = load(tmp_path)
    assert again.spec == results.spec
    assert again.failures == results.failures
    assert again.record == record
    assert repr(again.verdicts) == repr(verdicts)
    for name in results:
        xr.testing.assert_identical(again[name], results[name])
        for variable in results[name].variables:
            assert again[name][variable].attrs == results[name][variable].attrs
    table = pq.read_table(tmp_path / "vol.parquet")
    assert table.column_names == ["run", "lr_batch", "lr", "schedule", "seed", "volume"]
    assert table.num_rows == 12


@settings(max_examples=15, deadline=None)
@given(
    values=st.lists(st.floats(width=64) | st.none(), min_size=6, max_size=6),
    lengths=st.lists(st.integers(0, 4), min_size=3, max_size=3),
)
def test_any_numbers_come_back_to_the_bit(tmp_path_factory, values, lengths):
    folder = tmp_path_factory.mktemp("results")
    spec = specification(vol=step("vol", "ball", "run", "seed"), curve=step("curve", "past", "seed"))
    balls = [None if v is None else {"volume": np.array(v), "radius": np.zeros(0)} for v in values]
    curves = [{"loss": np.arange(n) / 7, "epoch": np.arange(n) * 2} for n in lengths]
    results = collect(spec, {"vol": balls, "curve": curves}, gives=GIVES)
    save(results, folder)
    again = load(folder)
    for name in results:
        xr.testing.assert_identical(again[name], results[name])
