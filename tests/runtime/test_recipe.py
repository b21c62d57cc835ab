"""The fields of a node are what its key is made from: equal fields, equal keys, and the other way round."""

from __future__ import annotations

from pathlib import Path

import pytest

from gendsl.check import Options
from gendsl.plan import Plan, plan
from gendsl_runtime.reading import file_digest, read_checked
from gendsl_runtime.recipe import Recipe, difference, place_of

SPECS = sorted((Path(__file__).parents[2] / "specs").rglob("*.gen"))
NODES = 60
"""Nodes looked at of each step, evenly spread."""


def planned(path: Path, *, lr: str | None = None) -> Plan:
    overrides = () if lr is None else (("fit.optimizer.lr", lr),)
    checked = read_checked(str(path), Options(overrides=overrides))
    assert checked.spec is not None, checked.diagnostics
    return plan(checked.spec, numerics="engine=1;device=cpu", max_runs=10**6, file_digest=file_digest)


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_fields_and_keys_tell_the_same_nodes_apart(path: Path) -> None:
    made = planned(path)
    recipe = Recipe.of(made)
    assert Recipe.read(recipe.text()) == recipe
    by_fields: dict[tuple[object, ...], bytes] = {}
    for step in made:
        for i in range(0, step.count, max(1, step.count // NODES)):
            place = place_of(made.spec, step.name, i)
            assert place == step.coordinate(i)
            fields = recipe.fields(step.name, place)
            known = by_fields.setdefault((step.step.kind, *sorted(fields.items())), step.recipe_key(i))
            assert known == step.recipe_key(i), (step.name, place)
    assert len(set(by_fields.values())) == len(by_fields)


def test_a_difference_follows_what_feeds_a_step() -> None:
    path = next(path for path in SPECS if path.stem == "quickstart")
    old, new = (Recipe.of(planned(path, lr=lr)) for lr in ("0.1", "0.3"))
    place = place_of(new.spec, "gap", 0)
    (changed,) = difference(old.fields("gap", place), new.fields("gap", place))
    assert changed == ("runs.optimizer.lr", "0.1", "0.3")
    assert difference(old.fields("digits", place), new.fields("digits", place)) == ()
