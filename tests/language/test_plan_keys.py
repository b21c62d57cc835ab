"""Keys of a plan: equal exactly for equal computations, whatever they are called."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gendsl.plan import Plan
from gendsl.spec import (
    Axis,
    Choice,
    Component,
    Coordinate,
    InputFile,
    Number,
    Step,
    Use,
)
from tests.language.planning import (
    DIGITS,
    FIT,
    SEED,
    WHOLE,
    axis,
    planned,
    spec,
    step,
)


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
