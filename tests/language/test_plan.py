"""The plan: coordinates, inputs and the limit, against a plain reading of the spec node by node."""

from __future__ import annotations

from itertools import product

import pytest

from gendsl.diagnostic import DiagnosticError
from gendsl.plan import Plan
from gendsl.spec import (
    Axis,
    Choice,
    Component,
    Coordinate,
    InputFile,
    Items,
    Moment,
    Number,
    Operation,
    Quantity,
    Split,
    Use,
    Value,
    Where,
)
from tests.language.planning import (
    FIT,
    LR,
    WHOLE,
    WIDTH,
    axis,
    planned,
    spec,
    step,
)


def test_steps_are_in_topological_order_and_else_as_in_the_file() -> None:
    made = planned(spec(*WHOLE))
    assert list(made.steps) == ["digits", "plain", "noisy", "fit", "gap"]
    assert set(made.graph.edges) == {
        ("digits", "noisy"),
        ("digits", "plain"),
        ("noisy", "fit"),
        ("fit", "gap"),
        ("plain", "gap"),
    }


def test_nodes_are_in_c_order_over_the_axes() -> None:
    fit = planned(spec(*WHOLE))["fit"]
    assert (fit.shape, fit.count) == ((2, 3, 2), 12)
    coordinates = [fit.coordinate(i) for i in range(fit.count)]
    assert coordinates == [dict(zip(fit.axes, at)) for at in product(range(2), range(3), range(2))]
    assert [fit.index(at) for at in coordinates] == list(range(12))
    assert fit.labels(11) == {"lr": 0.2, "width": 32, "seed": 1}


def test_arguments_have_the_values_of_the_coordinate() -> None:
    arguments = planned(spec(*WHOLE))["fit"].arguments(7)
    assert arguments["optimizer"].arguments == {"lr": Number(value=0.2)}
    assert arguments["model"].arguments["hidden"] == Items(items=(Number(value=8),))
    assert arguments["seed"] == Number(value=1)
    assert arguments["dataset"] == Use(step="noisy")


def test_inputs_broadcast_by_name() -> None:
    made = planned(spec(*WHOLE))
    assert made["fit"].inputs(7) == {"dataset": ("noisy", 1)}
    assert [made["gap"].inputs(i) for i in range(12)] == [{"run": ("fit", i)} for i in range(12)]
    assert [made["gap"].inputs(12 + i) for i in range(12)] == [{"run": ("plain", i % 2)} for i in range(12)]
    keys = {made["gap"].recipe_key(i) for i in range(24)}
    assert len(keys) == 12 + 2  # what `plain` does not vary along is computed once
    assert made["gap"].arguments(12) == {"run": Use(step="plain")}


def test_inputs_through_splits_moments_scores_lists_and_nested_components() -> None:
    epoch = axis("epoch", 0, 10, kind="epoch")
    made = planned(
        spec(
            *WHOLE,
            epoch,
            step("analysis", "scores", "el2n", ("lr", "width", "seed"), run=Use(step="fit")),
            step(
                "analysis",
                "early",
                "accuracy",
                ("lr", "width", "epoch", "seed"),
                run=Moment(run=Use(step="fit"), epoch=Coordinate(axis="epoch")),
                on=Split(dataset=Use(step="noisy"), name="test"),
            ),
            step(
                "dataset",
                "kept",
                "keep",
                ("lr", "width", "seed"),
                dataset=Use(step="digits"),
                by=Quantity(step="scores", name="el2n"),
                more=Items(items=(Use(step="noisy"),)),
                teacher=Component(kind="model", name="t", version=1, arguments={"of": Use(step="plain")}),
            ),
        )
    )
    early = made["early"]
    node = early.index({"lr": 1, "width": 2, "epoch": 1, "seed": 1})
    assert early.inputs(node) == {"run": ("fit", 11), "on.dataset": ("noisy", 1)}
    assert early.arguments(node)["run"] == Moment(run=Use(step="fit"), epoch=Number(value=10))
    assert made["kept"].inputs(11) == {
        "dataset": ("digits", 0),
        "by": ("scores", 11),
        "more.0": ("noisy", 1),
        "teacher.of": ("plain", 1),
    }


def test_tuple_axes_move_together() -> None:
    pairs = [Items(items=(Number(value=a), Number(value=b))) for a, b in ((0.1, 64), (0.8, 512))]
    made = planned(
        spec(
            axis("lr_batch", *pairs, parts=("lr", "batch")),
            step(
                "train",
                "fit",
                "train",
                ("lr_batch",),
                lr=Coordinate(axis="lr_batch", part=0),
                batch=Coordinate(axis="lr_batch", part=1),
            ),
        )
    )
    assert made["fit"].arguments(1) == {"lr": Number(value=0.8), "batch": Number(value=512)}


def test_arithmetic_on_an_axis_is_the_number_it_gives() -> None:
    def widths(value: Value, *axes: Axis) -> Plan:
        names = tuple(a.name for a in axes)
        return planned(spec(*axes, step("train", "fit", "train", names, width=value)))

    double = Operation(op="*", operands=(Number(value=2), Coordinate(axis="width")))
    half = Operation(op="/", operands=(Coordinate(axis="width"), Number(value=2)))
    assert [widths(half, WIDTH)["fit"].arguments(i)["width"] for i in (0, 1)] == [
        Number(value=4),
        Number(value=8),
    ]
    assert isinstance(widths(half, WIDTH)["fit"].arguments(0)["width"].value, int)
    plain = {widths(Number(value=v))["fit"].recipe_key(0) for v in (16, 32, 64)}
    made = widths(double, WIDTH)["fit"]
    assert {made.recipe_key(i) for i in range(3)} == plain
    product_ = Operation(op="*", operands=(Coordinate(axis="lr"), Coordinate(axis="width")))
    crossed = widths(product_, LR, WIDTH)["fit"]
    assert len({crossed.recipe_key(i) for i in range(6)}) == 4  # 0.1 * 16 is 0.2 * 8


def test_where_fixes_an_axis_of_an_input() -> None:
    wide = Where(subject=Use(step="fit"), condition=Choice(name="_"), fixed={"width": 2})
    made = planned(spec(*WHOLE, step("analysis", "wide", "accuracy", ("lr", "seed"), run=wide)))
    assert [made["wide"].inputs(i)["run"][1] for i in range(4)] == [4, 5, 10, 11]
    direct = planned(spec(*WHOLE, step("analysis", "all", "accuracy", FIT.axes, run=Use(step="fit"))))
    assert made["wide"].recipe_key(3) == direct["all"].recipe_key(11)
    assert made["wide"].arguments(3) == {"run": Use(step="fit")}


def test_the_limit_names_the_factors_before_any_key_is_computed() -> None:
    many = [axis(name, *range(size)) for name, size in (("lr", 200), ("width", 50))]
    seeds = axis("seed", *range(100), kind="seeds")
    fit = step("train", "fit", "train", ("lr", "width", "seed"), data=InputFile(path="/nowhere"))

    def unwanted(path: str) -> bytes:
        raise AssertionError(path)

    with pytest.raises(DiagnosticError) as caught:
        planned(spec(*many, seeds, fit), file_digest=unwanted)
    (fault,) = caught.value.diagnostics
    assert fault.code == "plan-too-large"
    assert fault.note == "200 lr x 50 width x 100 seed = 1,000,000 trainings of fit"
    assert "--max-runs 1000000" in (fault.help or "")


def test_the_limit_counts_all_trainings_and_is_inclusive() -> None:
    assert planned(spec(*WHOLE), max_runs=14).trainings == 14
    with pytest.raises(DiagnosticError) as caught:
        planned(spec(*WHOLE), max_runs=13)
    assert "14 trainings" in caught.value.diagnostics[0].message


def test_other_steps_have_a_limit_too() -> None:
    rows = [axis(f"a{k}", *range(1000)) for k in range(4)]
    with pytest.raises(DiagnosticError, match="1,000,000,000,000 datasets"):
        planned(spec(*rows, step("dataset", "d", "d", ("a0", "a1", "a2", "a3"))))
