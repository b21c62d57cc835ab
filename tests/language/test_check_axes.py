"""What sweeps, seeds, moments and `where` make vary."""

from __future__ import annotations

import pytest

from gendsl.spec import (
    Choice,
    Coordinate,
    Items,
    Label,
    Moment,
    Number,
    Operation,
    Range,
    Split,
    Statistic,
    Use,
    Where,
)
from tests.language.checking import BASE, SWEPT, claim, spec


def test_axes_go_through_whatever_uses_them_in_file_order_with_seeds_last():
    found = spec("sweep rate in [0.1, 0.2]\n" + SWEPT.replace("lr=0.1", "lr=rate"))
    assert found.steps["clean"].axes == found.steps["g"].axes == ("rate", "width", "seed")
    assert list(found.axes) == ["rate", "width", "seed"]
    hidden = found.steps["clean"].arguments["model"].arguments["hidden"].items
    assert hidden[0] == Coordinate(axis="width")
    assert hidden[1] == Operation(op="*", operands=(Number(value=2), Coordinate(axis="width")))


@pytest.mark.parametrize(
    ("written", "labels"),
    [
        ("1..4", (1, 2, 3, 4)),
        ("1..10 by 3", (1, 4, 7, 10)),
        ("[1..3, 8]", (1, 2, 3, 8)),
        ("[2, 2 * 4]", (2, 8)),
    ],
)
def test_ranges_and_lists(written, labels):
    assert spec(SWEPT.replace("[4, 8, 16]", written)).axes["width"].labels == labels


def test_fractions_step_without_rounding():
    text = BASE.replace("lr=0.1", "lr=rate") + "sweep rate in 0.1..0.5 by 0.1"
    assert spec(text).axes["rate"].labels == (0.1, 0.2, 0.3, 0.4, 0.5)


def test_tuple_axes_move_together():
    text = BASE.replace("lr=0.1)", "lr=lr)\n batch = batch") + "sweep (lr, batch) in [(0.1, 64), (0.8, 512)]"
    found = spec(text)
    axis = found.axes["lr_batch"]
    assert axis.parts == ("lr", "batch") and axis.labels == ((0.1, 64), (0.8, 512))
    assert axis.values[1] == Items(items=(Number(value=0.8), Number(value=512)))
    assert found.steps["clean"].arguments["batch"] == Coordinate(axis="lr_batch", part=1)
    assert found.steps["clean"].axes == ("lr_batch", "seed")


def test_axes_of_choices_components_datasets_and_runs():
    text = BASE.replace("hidden=[8]", "hidden=[8], activation=act").replace("sgd(lr=0.1)", "opt")
    text += """
    sweep act in [relu, tanh]
    sweep opt in [sgd(lr=0.1), adam]
    dataset moons = rings(noise=0.1)
    sweep kind in [data, moons, noisy(data, share=10%)]
    train other extends clean { dataset = kind }
    sweep run in [clean, other]
    analysis g = gap(run)
    """
    found = spec(text)
    assert found.axes["act"].values == (Choice(name="relu"), Choice(name="tanh"))
    assert found.axes["opt"].labels == ("sgd(lr=0.1)", "adam")
    assert found.axes["opt"].values[1].arguments["lr"] == Number(value=1e-3)
    assert found.axes["kind"].values == (Use(step="data"), Use(step="moons"), Use(step="kind.2"))
    assert found.axes["run"].values == (Use(step="clean"), Use(step="other"))
    assert found.steps["g"].axes == ("act", "opt", "kind", "run", "seed")


def test_axis_of_splits():
    text = (
        BASE
        + "dataset big = rings(test=9)\nsweep on in [data.test, big.test]\n"
        + "analysis a = accuracy(clean, on=on)"
    )
    found = spec(text)
    assert found.axes["on"].values[1] == Split(dataset=Use(step="big"), name="test")
    assert found.axes["on"].labels == ("data.test", "big.test")


def test_an_analysis_uses_up_the_axis_it_names():
    assert spec(BASE + "analysis d = disagreement(clean, over=seed)").steps["d"].axes == ()


def test_moments_make_an_axis_and_ask_for_checkpoints():
    found = spec(BASE + "analysis a = accuracy(clean.at(epoch=[0, 5, 1]))")
    assert found.axes["epoch"].kind == "epoch" and found.axes["epoch"].labels == (0, 5, 1)
    assert found.steps["a"].axes == ("epoch", "seed")
    assert found.steps["a"].arguments["runs"] == Moment(run=Use(step="clean"), epoch=Coordinate(axis="epoch"))
    kept = found.steps["clean"].arguments["checkpoints"].items
    assert [number.value for number in kept] == [0, 1, 5]


def test_moments_of_an_axis_of_runs_reach_every_run():
    text = (
        BASE
        + "train b extends clean { batch = 5 }\nsweep run in [clean, b]\nanalysis a = gap(run.at(epoch=2))"
    )
    found = spec(text)
    for name in ("clean", "b"):
        assert found.steps[name].arguments["checkpoints"].items == (Number(value=2, unit="epochs"),)


def test_where_in_an_argument_takes_one_label():
    found = spec(SWEPT + "analysis one = gap(clean where width == 8)\n")
    value = found.steps["one"].arguments["runs"]
    assert isinstance(value, Where) and value.subject == Use(step="clean") and value.fixed == {"width": 1}
    assert found.steps["one"].axes == ("seed",)
    text = BASE + "train b extends clean { batch = 5 }\nsweep run in [clean, b]\n"
    found = spec(text + "analysis all = gap(run)\nanalysis one = gap(run where run == b)")
    assert found.steps["one"].arguments["runs"] == Use(step="b")


def test_where_fixes_and_selects():
    left = claim("mean(g.error where width == 8 and seed in 0..4) < 5%").left
    assert isinstance(left, Statistic) and left.over == ("seed",)
    (where,) = left.values
    assert where.fixed == {"width": 1}
    equal, among = where.condition.operands
    assert equal.operands == (Coordinate(axis="width"), Label(axis="width", index=1))
    assert among.operands == (Coordinate(axis="seed"), Range(low=0, high=4))


def test_where_on_a_part_of_a_tuple_axis():
    text = (
        BASE.replace("lr=0.1)", "lr=lr)\n batch = batch") + "sweep (lr, batch) in [(0.1, 64), (0.8, 512)]\n"
    )
    found = claim("mean(g.error where batch == 512) < 5%", text + "analysis g = gap(clean)\n")
    assert found.left.values[0].fixed == {"lr_batch": 1}


def test_a_component_label_may_be_named_shortly():
    text = BASE.replace("sgd(lr=0.1)", "opt") + "sweep opt in [sgd(lr=0.1), adam]\nanalysis g = gap(clean)\n"
    for label in ("sgd", "sgd(lr=0.1)"):
        assert claim(f"mean(g.error where opt == {label}) < 5%", text).left.values[0].fixed == {"opt": 0}
