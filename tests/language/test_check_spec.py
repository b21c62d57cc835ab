"""What the forms of the language mean: the resolved spec."""

from __future__ import annotations

import pytest

from gendsl.spec import (
    Choice,
    Component,
    Coordinate,
    Number,
    Operation,
    Quantity,
    Spec,
    Text,
    Use,
)
from tests.language.checking import BASE, SWEPT, claim, spec


def test_every_argument_is_filled_in():
    step = spec(BASE).steps["clean"]
    assert step.version == 3
    assert list(step.arguments) == [
        "model", "dataset", "optimizer", "loss", "schedule", "batch", "budget", "stop", "crop",
        "checkpoints", "init", "seed",
    ]  # fmt: skip
    assert step.arguments["dataset"] == Use(step="data")
    assert step.arguments["seed"] == Coordinate(axis="seed")
    assert step.arguments["budget"] == Number(value=5, unit="epochs")
    sgd = step.arguments["optimizer"]
    assert sgd.arguments["momentum"] == Number(value=0.0)
    assert sgd.arguments["schedule"] == Component(kind="schedule", name="constant", version=1, arguments={})


def test_training_follows_seeds_and_data_does_not():
    steps = spec(BASE).steps
    assert steps["clean"].axes == ("seed",) and steps["data"].axes == ()


def test_without_seeds_a_training_has_seed_zero():
    assert spec(BASE.replace("seeds 0..9", "")).steps["clean"].arguments["seed"] == Number(value=0)


@pytest.mark.parametrize(("task", "loss"), [("regression", "mse"), ("classification", "cross_entropy")])
def test_loss_follows_the_task(task, loss):
    text = BASE.replace("rings(train=100, held_back=50, test=100)", f"teacher(task={task})")
    assert spec(text).steps["clean"].arguments["loss"].name == loss


def test_names_may_be_used_before_they_are_declared():
    parts = [part for part in BASE.strip().split("\n") if part]
    train = "\n".join(parts[3:])
    turned = f"{train}\n{parts[2]}\n{parts[1]}\n{parts[0]}"
    assert spec(turned).steps["clean"].arguments == spec(BASE).steps["clean"].arguments


def test_renaming_and_reordering_keep_the_arguments():
    renamed = BASE.replace("data", "other").replace("other", "things", 1).replace("= other\n", "= things\n")
    renamed = (
        renamed.replace("other", "things").replace("thingsset", "dataset").replace("thingsset =", "dataset =")
    )
    found = spec(renamed.replace("net", "web").replace("clean", "plain"))
    first = spec(BASE)
    plain, clean = dict(found.steps["plain"].arguments), dict(first.steps["clean"].arguments)
    inner = plain.pop("dataset"), clean.pop("dataset")
    assert plain == clean
    assert found.steps[inner[0].step].arguments == first.steps[inner[1].step].arguments


def test_extends_changes_dotted_fields_and_chains():
    found = spec(
        BASE
        + "train second extends clean { optimizer.lr = 0.5 }\n"
        + "train third extends second { optimizer.momentum = 90%  dataset.noise = 0.1 }"
    )
    third = found.steps["third"].arguments
    assert third["optimizer"].arguments["lr"] == Number(value=0.5)
    assert third["optimizer"].arguments["momentum"] == Number(value=0.9)
    assert third["dataset"] == Use(step="third.dataset")
    assert found.steps["third.dataset"].arguments["noise"] == Number(value=0.1)
    assert found.steps["third.dataset"].arguments["train"] == Number(value=100)
    assert found.steps["data"].arguments["noise"] == Number(value=0.5)


def test_extends_switches_a_component_and_then_changes_it():
    found = spec(BASE + "train second extends clean { optimizer = adam(lr=0.01)  optimizer.clip = 1 }")
    adam = found.steps["second"].arguments["optimizer"]
    assert (adam.name, adam.arguments["clip"], adam.arguments["lr"]) == (
        "adam",
        Number(value=1.0),
        Number(value=0.01),
    )


def test_extends_opens_a_default():
    text = BASE + "train second extends clean { optimizer.schedule = cosine  optimizer.schedule.floor = 10% }"
    schedule = spec(text).steps["second"].arguments["optimizer"].arguments["schedule"]
    assert schedule.name == "cosine" and schedule.arguments["floor"] == Number(value=0.1)


@pytest.mark.parametrize(
    "declaration",
    [
        "model wide extends net { hidden = [64] }",
        "dataset more extends data { train = 200 }",
        "analysis g = gap(clean)\nanalysis again extends g { runs = clean }",
    ],
)
def test_anything_with_fields_can_be_extended(declaration):
    spec(BASE + declaration)


def test_nested_datasets_are_steps_named_after_their_place():
    found = spec(BASE + "train bad extends clean { dataset = poisoned(noisy(data, share=20%)) }")
    assert found.steps["bad.dataset"].arguments["data"] == Use(step="bad.dataset.data")
    assert found.steps["bad.dataset.data"].arguments["data"] == Use(step="data")
    assert found.steps["bad.dataset"].arguments["from"] == Choice(name="held_back")


def test_a_let_is_made_once():
    text = BASE + "let worse = noisy(data, share=50%)\n"
    text += "train a extends clean { dataset = worse }\ntrain b extends clean { dataset = worse }"
    found = spec(text)
    assert found.steps["a"].arguments["dataset"] == found.steps["b"].arguments["dataset"] == Use(step="worse")


def test_steps_come_before_what_uses_them():
    found = spec(BASE + "train bad extends clean { dataset = poisoned(data) }\nanalysis g = gap(bad)")
    order = list(found.steps)
    assert order.index("data") < order.index("bad.dataset") < order.index("bad") < order.index("g")


def test_results_feed_data():
    text = BASE + "analysis early = el2n(clean.at(epoch=3))\n"
    text += "train late extends clean { dataset = keep(data, by=early.scores, share=25%) }"
    found = spec(text)
    by = found.steps["late.dataset"].arguments["by"]
    assert by == Quantity(step="early", name="scores", axes=("example",))
    assert found.steps["clean"].arguments["checkpoints"].items == (Number(value=3, unit="epochs"),)
    assert found.steps["late"].axes == ("seed",)


def test_statistics_reduce_all_axes_or_those_named():
    assert claim("mean(g.error) < 5%").left.over == ("width", "seed")
    one = claim("mean(g.error, over=seed) < 5% for some width at 90%")
    assert one.left.over == ("seed",) and one.quantifiers == {"width": "some"} and one.level == 0.9
    along = claim("slope(g.error, along=width) < 0")
    assert along.left.along == "width" and along.left.over == () and along.quantifiers == {}


def test_what_is_left_is_quantified_for_all_and_seeds_are_not():
    found = claim("g.error < 10%")
    assert found.quantifiers == {"width": "all"}
    assert found.left == Quantity(step="g", name="error") and found.right == Number(value=0.1)


def test_the_name_of_an_analysis_is_its_first_quantity():
    assert claim("mean(g) < 1").left.values == (Quantity(step="g", name="gap"),)


def test_own_axes_belong_to_quantities():
    text = BASE + "analysis v = volume(clean)\n"
    found = claim("lowest(v.radius, over=ray) > 0", text)
    assert found.left.over == ("ray",)
    assert claim("mean(v.log_volume) > -3 nats", text).unit == "nats"
    picked = claim("mean(v.radius where ray == 3) > 0", text).left.values[0]
    assert picked.picked == {"ray": 3.0} and picked.fixed == {}
    picked = claim('mean(v.radius where ray == "output") > 0', text).left.values[0]
    assert picked.picked == {"ray": "output"} and picked.condition.operands[1] == Text(value="output")
    several = claim('mean(v.radius where ray in ["hidden.0", "output"], over=[ray, seed]) > 0', text)
    assert several.left.values[0].picked == {}


def test_arithmetic_and_text_of_a_claim():
    found = claim("mean(g.error where width == 4)\n   - mean(g.error where width == 8) > 2 * 1% at 95%")
    assert found.text == "mean(g.error where width == 4) - mean(g.error where width == 8) > 2 * 1% at 95%"
    assert found.right == Number(value=0.02) and found.left.op == "-"


def test_claims_about_fixed_numbers_need_no_seeds():
    text = BASE.replace("seeds 0..9", "") + "analysis n = parameter_count(net)\nclaim c: n.count < 10_000"
    assert spec(text).claims[0].quantifiers == {}


def test_plots_take_results_axes_and_own_axes():
    text = SWEPT + "analysis h = history(clean)\nplot p = line(x=width, y=g.error, band=90%, x_scale=log)\n"
    text += (
        "plot q = line(x=h.epoch, y=h.train_error where width == 4)\nplot r = line(x=epoch, y=h.train_error)"
    )
    plots = spec(text).plots
    assert plots[0].arguments["x"] == Coordinate(axis="width") and plots[0].arguments["x_scale"] == Choice(
        name="log"
    )
    assert plots[1].arguments["x"] == plots[2].arguments["x"] == Coordinate(axis="epoch")


def test_plots_know_what_the_author_calls_an_argument():
    text = SWEPT + "let worst = 1 - g.error\nlet none_of_it = 90%\n"
    text += "plot p = line(x=width, y=worst, band=none_of_it)\nplot q = line(x=width, y=1 - worst)\n"
    first, second = spec(text).plots
    assert first.lets == {"y": "worst", "band": "none_of_it"} and second.lets == {}


def test_the_report_shows_everything_in_file_order_unless_told():
    text = SWEPT + "claim c: mean(g.error) < 5%\nplot p = line(x=width, y=g.error)\n"
    assert spec(text).show == ("g", "c", "p")
    assert spec(text + "report main { show = [p, c] }").show == ("p", "c")


def test_head_captions_and_texts():
    text = 'experiment e { title = "A title"  paper = ["a", "b"]  about = """More.""" catalogue = "id" }\n'
    text += BASE.replace("train clean", '"""Plain."""\ntrain clean').replace(
        "model net", '"""Small."""\nmodel net'
    )
    found = spec(text)
    assert (found.name, found.title, found.paper, found.about) == ("e", "A title", ("a", "b"), "More.")
    assert found.catalogue == ("id",) and found.text == text
    assert found.steps["clean"].caption == "Plain." and found.captions == {"net": "Small."}
    assert spec(BASE).name == "spec" and spec(BASE).title == "spec"


def test_units_reach_their_base():
    text = BASE.replace("budget = 5 epochs", "budget = 20 steps  stop = train_error <= 2%  crop = 4 px")
    step = spec(text).steps["clean"].arguments
    assert step["budget"] == Number(value=20, unit="steps") and step["crop"] == Number(value=4, unit="px")
    assert step["stop"] == Operation(op="<=", operands=(Choice(name="train_error"), Number(value=0.02)))


def test_numbers_are_of_their_type():
    text = BASE.replace("lr=0.1", "lr=1, clip=2").replace("hidden=[8]", "hidden=[16 / 2]")
    step = spec(text).steps["clean"].arguments
    assert isinstance(step["optimizer"].arguments["lr"].value, float)
    assert isinstance(step["model"].arguments["hidden"].items[0].value, int)


def test_the_spec_goes_to_json_and_back():
    found = spec(SWEPT + "claim c: mean(g.error where width == 8) < 5%")
    assert Spec.model_validate_json(found.model_dump_json()) == found


@pytest.mark.parametrize(
    ("value", "more"), [("none", ""), ("kind", "param kind = none"), ("kind", "let kind = none")]
)
def test_none_is_a_choice_where_it_is_one(value, more):
    text = BASE.replace("mlp(hidden=[8])", f"normed_net(norm={value})") + more
    assert spec(text).steps["clean"].arguments["model"].arguments["norm"] == Choice(name="none")


def test_none_is_a_choice_on_an_axis():
    text = BASE.replace("mlp(hidden=[8])", "normed_net(norm=kind)") + "sweep kind in [none, layer]\n"
    assert spec(text).axes["kind"].labels == ("none", "layer")
