"""The plan: coordinates, keys, inputs and the limit, against a plain reading of the spec node by node."""

from __future__ import annotations

import json
from hashlib import sha256
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gendsl.diagnostic import DiagnosticError
from gendsl.plan import Plan, plan
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
    Spec,
    Split,
    Step,
    Use,
    Value,
    Where,
)


def axis(name: str, *values: Value | float, kind: str = "sweep", parts: tuple[str, ...] = ()) -> Axis:
    made = tuple(Number(value=v) if isinstance(v, int | float) else v for v in values)
    labels = tuple(v if isinstance(v, int | float) else f"{name}{at}" for at, v in enumerate(values))
    return Axis(name=name, kind=kind, values=made, labels=labels, parts=parts)


def step(kind: str, name: str, component: str, axes: tuple[str, ...] = (), **arguments: Value) -> Step:
    return Step(name=name, kind=kind, component=component, version=1, arguments=arguments, axes=axes)


def spec(*declarations: Axis | Step, **changes: Any) -> Spec:
    axes = {d.name: d for d in declarations if isinstance(d, Axis)}
    steps = {d.name: d for d in declarations if isinstance(d, Step)}
    return Spec(
        **{"name": "x", "title": "x", "path": "x.gen", "text": "", "axes": axes, "steps": steps, **changes}
    )


def planned(experiment: Spec, **options: Any) -> Plan:
    files = options.pop("file_digest", lambda path: sha256(path.encode()).digest())
    return plan(experiment, **{"numerics": "cpu", "file_digest": files, **options})


LR, WIDTH, SEED = axis("lr", 0.1, 0.2), axis("width", 8, 16, 32), axis("seed", 0, 1, kind="seeds")
NET = Component(
    kind="model",
    name="mlp",
    version=1,
    arguments={"hidden": Items(items=(Coordinate(axis="width"),)), "activation": Choice(name="relu")},
)
SGD = Component(kind="optimizer", name="sgd", version=1, arguments={"lr": Coordinate(axis="lr")})
DIGITS = step("dataset", "digits", "sklearn_digits", train=Number(value=1000))
NOISY = step(
    "dataset",
    "noisy",
    "with_label_noise",
    ("seed",),
    dataset=Use(step="digits"),
    seed=Coordinate(axis="seed"),
)
FIT = step(
    "train",
    "fit",
    "train",
    ("lr", "width", "seed"),
    model=NET,
    dataset=Use(step="noisy"),
    optimizer=SGD,
    seed=Coordinate(axis="seed"),
)
PLAIN = step(
    "train",
    "plain",
    "train",
    ("seed",),
    model=Choice(name="linear"),
    dataset=Use(step="digits"),
    seed=Coordinate(axis="seed"),
)
RUN = axis("run", Use(step="fit"), Use(step="plain"))
GAP = step("analysis", "gap", "gap", ("run", "lr", "width", "seed"), run=Coordinate(axis="run"))
WHOLE = (LR, WIDTH, SEED, RUN, GAP, FIT, PLAIN, NOISY, DIGITS)


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


def resolved(made: Plan, name: str, index: int) -> Any:
    """Everything a node is computed from, as plain data."""
    node, inputs = made[name], made[name].inputs(index)
    arguments = {k: v.model_dump() for k, v in node.arguments(index).items()}
    sources = {path: resolved(made, *source) for path, source in inputs.items()}
    text = json.dumps(arguments).replace('"fit"', '"_"').replace('"plain"', '"_"')
    return node.step.kind, node.step.component, text, sources


def test_nodes_share_a_key_exactly_when_they_are_the_same_computation() -> None:
    twin = FIT.model_copy(update={"name": "twin", "caption": "The same again."})
    made = planned(spec(*WHOLE, twin))
    seen: dict[bytes, Any] = {}
    nodes = [(s.name, i) for s in made for i in range(s.count)]
    for name, i in nodes:
        assert seen.setdefault(made[name].recipe_key(i), resolved(made, name, i)) == resolved(made, name, i)
    assert made["twin"].keys == made["fit"].keys
    distinct = {json.dumps(resolved(made, name, i)) for name, i in nodes}
    assert len(seen) == len(distinct)


@settings(max_examples=60, deadline=None)
@given(st.permutations(WHOLE), st.data())
def test_order_names_captions_and_claims_are_not_in_a_key(declarations: list[Axis | Step], data) -> None:
    whole = planned(spec(*WHOLE))
    other = planned(spec(*declarations, title="else", about="else", path="y.gen"))
    assert {s.name: s.keys for s in other} == {s.name: s.keys for s in whole}
    captioned = [d.model_copy(update={"caption": data.draw(st.text())}) for d in WHOLE]
    assert {s.name: s.keys for s in planned(spec(*captioned))} == {s.name: s.keys for s in whole}


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        ({"arguments": {"train": Number(value=999)}}, set()),
        ({"version": 2}, set()),
        ({"component": "mnist_5k"}, set()),
    ],
)
def test_a_change_at_the_root_changes_everything_below(change: dict[str, Any], kept: set[str]) -> None:
    whole = planned(spec(*WHOLE))
    changed = planned(spec(*(d.model_copy(update=change) if d is DIGITS else d for d in WHOLE)))
    for name in whole.steps:
        assert (changed[name].keys == whole[name].keys) == (name in kept)


def test_numerics_and_files_are_in_the_key_by_content() -> None:
    table = step("dataset", "table", "csv", file=InputFile(path="/here/a.csv"))
    moved = step("dataset", "table", "csv", file=InputFile(path="/there/b.csv"))
    one = planned(spec(table), file_digest=lambda path: b"1" * 32)
    assert planned(spec(moved), file_digest=lambda path: b"1" * 32)["table"].keys == one["table"].keys
    assert planned(spec(table), file_digest=lambda path: b"2" * 32)["table"].keys != one["table"].keys
    assert (
        planned(spec(table), numerics="cuda", file_digest=lambda path: b"1" * 32)["table"].keys
        != one["table"].keys
    )


def test_more_seeds_keep_the_keys_of_those_before() -> None:
    more = axis("seed", *range(5), kind="seeds")
    few, many = planned(spec(*WHOLE)), planned(spec(*(more if d is SEED else d for d in WHOLE)))
    old = {few["fit"].recipe_key(i) for i in range(12)}
    new = {many["fit"].recipe_key(i) for i in range(30)}
    assert old < new and len(new) == 30


def test_an_action_key_knows_inputs_by_content_alone() -> None:
    made = planned(spec(*WHOLE))
    other = planned(spec(*(DIGITS.model_copy(update={"version": 2}) if d is DIGITS else d for d in WHOLE)))

    def same(name: str, index: int) -> bytes:
        return sha256(f"{name} {index}".encode()).digest()

    for one in made:
        for i in range(one.count):
            if one.name != "digits":
                assert one.action_key(i, same) == other[one.name].action_key(i, same)
            assert one.action_key(i, same) != one.recipe_key(i)
    changed = made["fit"].action_key(0, lambda name, index: b"?" * 32)
    assert changed != made["fit"].action_key(0, same)


def test_equal_weights_of_two_networks_are_not_analysed_as_one() -> None:
    """Without a single step of training, relu and tanh networks are stored as the same bytes."""
    relu, tanh = (
        step(
            "train",
            name,
            "train",
            model=Component(kind="model", name="mlp", version=1, arguments={"a": Choice(name=name)}),
        )
        for name in ("relu", "tanh")
    )
    run = axis("run", Use(step="relu"), Use(step="tanh"))
    made = planned(
        spec(relu, tanh, run, step("analysis", "gap", "gap", ("run",), run=Coordinate(axis="run")))
    )
    keys = {made["gap"].action_key(i, lambda name, index: b"=" * 32) for i in (0, 1)}
    assert len(keys) == 2


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


def test_pinned_recipe_keys() -> None:
    """These keys are in every store: they may change only on purpose."""
    made = planned(spec(*WHOLE))
    assert {one.name: one.recipe_key(one.count - 1).hex()[:16] for one in made} == PINNED


PINNED = {
    "digits": "3e61d79a3c4b12ab",
    "plain": "27dc080c511c881e",
    "noisy": "98d2851a03ca65a2",
    "fit": "d9da9065ae0c82d2",
    "gap": "d2efd9588fec4788",
}
