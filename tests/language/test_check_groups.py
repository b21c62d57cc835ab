"""Analyses of several runs: which runs may stand there, what axes are left, and what their keys are made of."""

from __future__ import annotations

from hashlib import sha256

import pytest

from gendsl.plan import Plan, plan
from gendsl.spec import Along, Coordinate, Moment, Nothing, Use
from tests.language.checking import BASE, SWEPT, checked, only, spec

RATES = BASE.replace("lr=0.1", "lr=rate") + "sweep rate in [0.1, 0.2, 0.4]\n"
AGAIN = "train again extends clean { seed = seed + 1000 }\n"


def planned(text: str) -> Plan:
    return plan(spec(text), numerics="cpu", file_digest=lambda path: sha256(path.encode()).digest())


def test_the_axis_is_gone_and_the_others_are_left():
    found = spec(
        RATES + "analysis d = disagreement(clean, over=seed)\nanalysis e = disagreement(clean, over=rate)"
    )
    assert found.steps["d"].axes == ("rate",) and found.steps["e"].axes == ("seed",)
    assert found.steps["e"].arguments["groups"] == Along(subject=Use(step="clean"), axis="rate")


def test_epochs_are_taken_together():
    found = spec(BASE + "analysis d = disagreement(clean.at(epoch=[0, 2, 5]), over=epoch)")
    moment = Moment(run=Use(step="clean"), epoch=Coordinate(axis="epoch"))
    assert found.steps["d"].arguments["groups"] == Along(subject=moment, axis="epoch")
    assert found.steps["d"].axes == ("seed",) and found.axes["epoch"].labels == (0, 2, 5)


def test_whole_runs_are_taken_together():
    text = BASE + AGAIN + "sweep run in [clean, again]\nanalysis d = disagreement(run, over=run)"
    inputs = planned(text)["d"].inputs(3)
    assert inputs == {"groups.0": ("clean", 3), "groups.1": ("again", 3)}


def test_another_run_brings_its_axes():
    text = SWEPT + "train narrow extends clean { model = mlp(hidden=[2]) }\n"
    found = spec(text + "analysis a = similarity(narrow, other=clean)\nanalysis b = similarity(clean)")
    assert found.steps["a"].axes == ("width", "seed")
    assert found.steps["b"].arguments["other"] == Nothing()


def test_another_run_may_be_the_same_at_another_time_or_seed():
    text = BASE + AGAIN + "analysis a = similarity(clean, other=clean.at(epoch=0))\n"
    text += "analysis b = similarity(clean, other=again)\nanalysis c = similarity(clean, other=clean where seed == 0)"
    found = planned(text)
    assert found["a"].inputs(4) == {"runs": ("clean", 4), "other": ("clean", 4)}
    assert found["b"].inputs(4) == {"runs": ("clean", 4), "other": ("again", 4)}
    assert found["c"].inputs(4) == {"runs": ("clean", 4), "other": ("clean", 0)}
    assert found["again"].arguments(4)["seed"].value == 1004


def test_keys_hold_all_runs_in_their_order():
    text = RATES + "analysis d = disagreement(clean, over=rate)"
    key = planned(text)["d"].recipe_key(0)
    swapped = planned(text.replace("[0.1, 0.2, 0.4]", "[0.2, 0.1, 0.4]"))["d"].recipe_key(0)
    fewer = planned(text.replace("[0.1, 0.2, 0.4]", "[0.1, 0.2]"))["d"].recipe_key(0)
    assert len({key, swapped, fewer}) == 3
    renamed = planned(text.replace("clean", "trained"))["d"].recipe_key(0)
    assert renamed == key
    seeds = planned(text)["d"]
    assert len({seeds.recipe_key(i) for i in range(seeds.count)}) == seeds.count == 10


def test_a_group_is_known_by_the_contents_of_its_runs():
    found = planned(RATES + "analysis d = disagreement(clean, over=rate)")

    def digests(changed: tuple[str, int] | None = None):
        return lambda name, i: sha256(f"{name}{i}{(name, i) == changed}".encode()).digest()

    keys = [found["d"].action_key(i, digests()) for i in range(10)]
    for rate in range(3):
        node = found["clean"].index({"rate": rate, "seed": 4})
        now = [found["d"].action_key(i, digests(("clean", node))) for i in range(10)]
        assert [i for i in range(10) if now[i] != keys[i]] == [4]
    assert found["d"].inputs(4) == {
        f"groups.{rate}": ("clean", found["clean"].index({"rate": rate, "seed": 4})) for rate in range(3)
    }


@pytest.mark.parametrize(
    ("text", "code", "shown"),
    [
        (BASE + "analysis d = disagreement(clean)", "missing-argument", "disagreement"),
        (BASE + "analysis d = disagreement(clean, over=epoch)", "missing-axis", "epoch"),
        (SWEPT + "analysis d = disagreement(clean, over=width)", "different-networks", "width"),
        (BASE + "analysis d = disagreement(clean where seed == 0, over=seed)", "missing-axis", "seed"),
        (BASE + "analysis s = similarity(clean, other=data)", "wrong-kind", "data"),
        (
            RATES + "dataset more = rings(train=9, noise=rate)\n"
            "analysis d = disagreement(clean, over=rate, on=more.test)",
            "axis-taken",
            "more.test",
        ),
        (
            BASE + "analysis d = disagreement(clean, over=seed)\nclaim c: d.rate < 1",
            "no-replicates",
            "d.rate < 1",
        ),
        (
            BASE + "analysis d = disagreement(clean, over=seed)\nanalysis g = gap(clean)\n"
            "claim c: mean(g.error) < d.rate",
            "no-replicates",
            "mean(g.error) < d.rate",
        ),
    ],
)
def test_refused(text, code, shown):
    found, underlined = only(text)
    assert (found.code, underlined) == (code, shown), found.message


def test_groups_with_seeds_of_their_own_decide_claims():
    text = BASE.replace("budget", "seed = 5 * seed + member\n    budget") + "sweep member in 0..4\n"
    found = checked(text + "analysis d = disagreement(clean, over=member)\nclaim c: mean(d.rate) < 0.5")
    assert found.spec is not None and found.spec.steps["d"].axes == ("seed",)


CHOSEN = (
    BASE
    + """
analysis marks = forgetting(clean, over=seed)
train pruned extends clean { dataset = keep(data, by=marks.scores, share=25%) }
"""
)


def test_what_is_trained_on_data_chosen_by_all_seeds_has_replicates_again():
    found = checked(CHOSEN + "analysis g = gap(pruned)\nclaim c: mean(g.error) < 0.5")
    assert found.spec is not None and not found.diagnostics
    found, _ = only(CHOSEN + "claim c: mean(marks.scores) < 0.5")
    assert found.code == "no-replicates"


def test_a_split_must_be_there_for_both():
    text = (
        BASE
        + "dataset bare = rings(train=100, held_back=0, test=100)\ntrain b extends clean { dataset = bare }\n"
    )
    found, underlined = only(text + "analysis s = similarity(clean, other=b, on=held_back)")
    assert (found.code, underlined) == ("unknown-split", "held_back")
