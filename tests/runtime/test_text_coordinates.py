"""Own axes whose labels are texts, such as the names of layers: stored, joined, saved, picked, compared."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from gendsl.spec import Coordinate, Items, Operation, Text, Where
from gendsl_runtime import archive
from gendsl_runtime.claims.evaluate import evaluate
from gendsl_runtime.report.figure import column
from gendsl_runtime.report.tables import blocks
from gendsl_runtime.results import Results, collect, union
from gendsl_runtime.store.payload import pack, unpack
from tests.runtime.claimed import X, results, seeds

LAYERS = np.array(["hidden.0", "hidden.1", "output"])


def test_a_payload_keeps_texts() -> None:
    values = np.arange(3.0)
    arrays, texts = unpack(pack({"rank": values, "layer": LAYERS}, {"a": "b"}))
    np.testing.assert_array_equal(arrays["layer"], LAYERS)
    np.testing.assert_array_equal(arrays["rank"], values)
    assert texts == {"a": "b"}
    with pytest.raises(TypeError, match="cannot be stored"):
        pack({"x": np.array([["a"]])}, {})


def test_networks_of_different_depth_share_an_axis() -> None:
    """Layers stand in the order of the networks, not of the alphabet."""
    found = results([seeds(2)], x=np.zeros((2, 3)))
    step = found.spec.steps["m"]
    deep = {"x": np.arange(3.0), "layer": np.array(["stem", "conv.0", "output"])}
    flat = {"x": np.arange(2.0), "layer": np.array(["stem", "output"])}
    made = collect(found.spec, {step.name: [flat, deep]}, gives={step.component: {"x": ("1", ("layer",))}})
    array = made["m"]["x"]
    assert array["layer"].values.tolist() == ["stem", "conv.0", "output"]
    np.testing.assert_array_equal(array.values, [[0, np.nan, 1], [0, 1, 2]])


def test_a_union_keeps_every_order_there_is() -> None:
    rows = [["a", "z"], ["a", "k", "b", "z"], ["b", "c"]]
    found = union([np.array(row) for row in rows]).tolist()
    assert sorted(found) == ["a", "b", "c", "k", "z"]
    assert all([label for label in found if label in row] == row for row in rows)


@pytest.fixture
def layered() -> Results:
    found = results([seeds(5)], x=np.arange(15.0).reshape(5, 3))
    dataset = found["m"].rename(point="layer").assign_coords(layer=LAYERS)
    return Results(found.spec, {"m": dataset})


def at(op: str, label: object) -> Operation:
    return Operation(op=op, operands=(Coordinate(axis="layer"), label))  # type: ignore[arg-type]


def test_a_layer_is_picked_by_its_name(layered: Results) -> None:
    last = Where(subject=X, condition=at("==", Text(value="output")), picked={"layer": "output"})
    np.testing.assert_array_equal(evaluate(last, layered).values, [2, 5, 8, 11, 14])
    none = Where(subject=X, condition=at("==", Text(value="gone")), picked={"layer": "gone"})
    assert np.isnan(evaluate(none, layered).values).all()


def test_layers_are_left_out_by_their_names(layered: Results) -> None:
    for condition in (
        at("!=", Text(value="hidden.1")),
        at("in", Items(items=(Text(value="hidden.0"), Text(value="output")))),
    ):
        array = evaluate(Where(subject=X, condition=condition), layered)
        assert array["layer"].values.tolist() == ["hidden.0", "output"]


def test_a_plot_shows_the_names(layered: Results) -> None:
    shown = column(Coordinate(axis="layer"), layered)
    assert shown is not None and not shown.is_number
    assert shown.levels == tuple(LAYERS)


def test_parquet_gives_them_back(layered: Results, tmp_path: Path) -> None:
    archive.save(layered, tmp_path)
    again = archive.load(tmp_path)
    xr.testing.assert_equal(again["m"], layered["m"])


def test_the_report_prints_a_row_for_each_layer(layered: Results) -> None:
    block = blocks(layered)[0]
    sheet = next(sheet for sheet in block.sheets if sheet.name == "m.layer-means")
    assert [row[0].text for row in sheet.rows] == list(LAYERS)
    assert [float(row[1].value) for row in sheet.rows] == [6, 7, 8]
    assert not any("." in sheet.name for sheet in blocks(results([seeds(5)], x=np.zeros((5, 3))))[0].sheets)
