"""A parameter that was added later leaves keys as they were while it has its neutral value."""

from __future__ import annotations

import pytest

from gendsl.catalogue import Catalogue
from gendsl.catalogue.component_file import MalformedError, describe
from gendsl.catalogue.description import Parameter
from gendsl.catalogue.types import Type
from gendsl.check import check
from gendsl.parse import parse
from gendsl.plan import plan
from gendsl.source import Source
from gendsl.spec import Choice, Component, Coordinate, Number
from tests.language.checking import BASE, components
from tests.language.planning import axis, planned, spec, step

NONE = Choice(name="none")


def model(**arguments) -> Component:
    neutral = {"norm": NONE, "dropout": Number(value=0.0)}
    return Component(
        kind="model",
        name="mlp",
        version=1,
        arguments={"width": Number(value=8), **arguments},
        neutral={name: value for name, value in neutral.items() if name in arguments},
    )


def keys(given: Component, *axes) -> list[bytes]:
    along = tuple(one.name for one in axes)
    made = planned(spec(*axes, step("train", "fit", "train", along, model=given)))["fit"]
    return [made.recipe_key(index) for index in range(made.count)]


def test_a_neutral_value_is_not_in_a_key() -> None:
    old = keys(model())
    assert keys(model(norm=NONE)) == old
    assert keys(model(norm=NONE, dropout=Number(value=0))) == old
    assert keys(model(norm=Choice(name="layer"))) != old
    assert keys(model(dropout=Number(value=0.1))) != old
    assert [key.hex()[:16] for key in old] == ["8ec94cd43ecf0f50"]


def test_along_an_axis_each_node_has_the_key_it_would_have_alone() -> None:
    norm, width = axis("norm", NONE, Choice(name="layer")), axis("width", 4, 8)
    swept = model(norm=Coordinate(axis="norm")).model_copy(
        update={"arguments": {"width": Coordinate(axis="width"), "norm": Coordinate(axis="norm")}}
    )
    found = keys(swept, norm, width)
    wanted = [
        keys(model(norm=label, width=Number(value=size)))[0]
        for label in (NONE, Choice(name="layer"))
        for size in (4, 8)
    ]
    assert found == wanted and len(set(found)) == 4


def test_action_keys_leave_it_out_too() -> None:
    def action(given: Component, *axes) -> list[bytes]:
        along = tuple(one.name for one in axes)
        made = planned(spec(*axes, step("train", "fit", "train", along, model=given)))["fit"]
        return [made.action_key(index, lambda name, at: b"") for index in range(made.count)]

    norm = axis("norm", NONE, Choice(name="layer"))
    assert action(model(norm=Coordinate(axis="norm")), norm) == [
        *action(model()),
        *action(model(norm=Choice(name="layer"))),
    ]


def test_from_a_component_file_to_keys() -> None:
    file = components().components["model", "mlp"]
    skip = Parameter("skip", Type("Flag"), False, False)
    added = file._replace(
        parameters={**file.parameters, "skip": skip}, facts={**file.facts, "neutral": {"skip": False}}
    )
    later = Catalogue({**components().components, ("model", "mlp"): added})

    def recipe(text: str, catalogue: Catalogue) -> bytes:
        source = Source(text, "x.gen")
        found = check(source, parse(source)[0], catalogue).spec
        assert found is not None
        return plan(found, numerics="cpu", file_digest=lambda path: b"")["clean"].keys

    assert recipe(BASE, later) == recipe(BASE, components())
    given = BASE.replace("hidden=[8]", "hidden=[8], skip=false")
    assert recipe(given, later) == recipe(BASE, components())
    assert recipe(given.replace("false", "true"), later) != recipe(BASE, components())


@pytest.mark.parametrize("neutral", ["{'wide': 1}", "{'width': 1}", "'norm'"])
def test_it_must_name_parameters_with_a_default(neutral: str) -> None:
    text = f'@model(version=1, neutral={neutral})\ndef net(shape, *, width: Count):\n    """A net."""\n'
    with pytest.raises(MalformedError, match="neutral"):
        describe(text.encode(), "net.py", "model")
