"""Components of the user's own Python: checked as built-in ones are, and in keys by what they compute."""

from __future__ import annotations

import pytest

from gendsl.check import check
from gendsl.parse import parse
from gendsl.plan import plan
from gendsl.source import Source
from gendsl.spec import Number, Spec
from tests.language.checking import components

NETS = '''
import torch.nn as tn
from torch import nn
from gendsl_runtime import component as c
from gendsl_runtime.component import Count, Runs, analysis, dataset, optimizer as own_optimizer, schedule
from typing import Literal


class Root(nn.Module):
    def __init__(self, inputs, outputs, *, width: int = 8, act: Literal["relu", "tanh"] = "relu"):
        super().__init__()


class Child(Root):
    """Has the constructor of `Root`."""


class Deep(tn.Module):
    def __init__(self, shape: tuple, outputs: int, depth: Count, sizes: list[int] | None = None, rate: float = 1):
        super().__init__()


class _Hidden(nn.Module):
    pass


class Plain:
    pass


@dataset(task="classification", shape=[2], outputs=2, splits={"train": "train", "test": 50})
def points(*, train: Count = 100, seed: int = 0):
    """Points in a plane."""


@own_optimizer()
def descent(*, lr: float, momentum: float = 0.0): ...


@c.loss(needs="classification")
def hinge(outputs, targets, *, gap: float = 1.0): ...


@schedule()
def halves(steps, per_epoch, *, times: Count = 3): ...


@analysis(gives={"height": "nats [rank]"}, axes={"rank": "places"})
def heights(run: Runs, *, top: Count = 5): ...
'''
SPEC = """
import "nets.py" as nets
seeds 0..9
sweep net in [nets.Root(width=4), nets.Child, nets.Deep(depth=2, sizes=[3, 4])]
param opt: optimizer = nets.descent(lr=0.1)
dataset data = nets.points(train=60)
train clean {
    model = net
    dataset = data
    optimizer = opt
    loss = nets.hinge
    budget = 5 epochs
}
analysis h = nets.heights(clean)
claim c: lowest(slope(h.height, along=rank)) > 0 nats
"""


@pytest.fixture
def checked(tmp_path):
    def run(text: str = SPEC, python: str = NETS, name: str = "nets.py", folder: str = "."):
        place = tmp_path / folder
        place.mkdir(exist_ok=True)
        (place / name).write_text(python)
        source = Source(text, str(place / "main.gen"))
        file, faults = parse(source)
        assert not faults
        return check(source, file, components())

    return run


@pytest.fixture
def spec(checked):
    def run(*arguments, **named) -> Spec:
        found = checked(*arguments, **named)
        assert found.spec is not None, [d.message for d in found.diagnostics]
        assert not found.diagnostics, found.diagnostics
        return found.spec

    return run


def keys(made: Spec) -> dict[str, bytes]:
    return {one.name: one.keys for one in plan(made, numerics="cpu", file_digest=lambda path: b"")}


def test_components_of_every_kind(spec, tmp_path) -> None:
    made = spec()
    data, run, heights = (made.steps[name] for name in ("data", "clean", "h"))
    assert (data.component, data.version, data.code.name) == ("points", 0, "points")
    assert data.code.path == str((tmp_path / "nets.py").resolve()) and len(data.code.fingerprint) == 64
    assert data.arguments["seed"] == Number(value=0)
    assert run.code is None and run.arguments["optimizer"].code.name == "descent"
    assert run.arguments["loss"].code.name == "hinge" and heights.code.name == "heights"
    root, child, deep = made.axes["net"].values
    assert root.arguments.keys() == child.arguments.keys() == {"width", "act"}
    assert child.name == "Child" and deep.arguments["rate"] == Number(value=1.0)
    assert made.axes["net"].labels[1] == "nets.Child" or made.axes["net"].labels[1] == "Child"
    assert Spec.model_validate_json(made.model_dump_json()) == made


def test_through_a_spec_that_imports_it(spec, tmp_path) -> None:
    (tmp_path / "common.gen").write_text('import "nets.py" as nets\nmodel net = nets.Root(width=4)\n')
    text = SPEC.replace('import "nets.py" as nets', 'import "common.gen" as common')
    text = text.replace("nets.", "common.nets.").replace("common.common", "common")
    made = spec(text.replace("common.nets.Root(width=4)", "common.net"))
    assert made.axes["net"].values[0].name == "Root"
    assert keys(made) == keys(spec())


def test_neither_alias_nor_place_nor_comments_change_a_key(spec) -> None:
    before = keys(spec())
    assert keys(spec(SPEC.replace("nets.py", "other.py"), name="other.py")) == before
    assert keys(spec(SPEC.replace("nets.", "n.").replace('n.py" as nets', 'nets.py" as n'))) == before
    assert keys(spec(folder="elsewhere")) == before
    assert keys(spec(python=NETS.replace("class _Hidden", "# a comment\nclass _Hidden"))) == before


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ('"""Points in a plane."""', "return 3", {"data", "clean", "h"}),
        (
            "lr: float, momentum: float = 0.0): ...",
            "lr: float, momentum: float = 0.0): return 1",
            {"clean", "h"},
        ),
        ("top: Count = 5): ...", "top: Count = 5): return 1", {"h"}),
        ("class Plain:\n    pass", "class Plain:\n    x = 1", set()),
    ],
)
def test_code_changes_the_keys_of_what_it_computes(spec, old, new, changed) -> None:
    before, after = keys(spec()), keys(spec(python=NETS.replace(old, new)))
    assert {name for name in before if before[name] != after[name]} == changed


def test_fields_inside_can_be_changed(spec) -> None:
    text = SPEC.replace("model = net\n", "model = nets.Root(width=4)\n").replace(
        "sweep net in [nets.Root(width=4), nets.Child, nets.Deep(depth=2, sizes=[3, 4])]\n", ""
    )
    text += "train wide extends clean { model.width = 16 }\nanalysis w = nets.heights(wide)\n"
    text += "claim d: mean(w.height) > 0 nats\n"
    text = text.replace("lowest(slope(h.height, along=rank)) > 0 nats", "mean(h.height) > 0 nats")
    assert spec(text).steps["wide"].arguments["model"].arguments["width"] == Number(value=16)


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("nets.hinge", "nets.Root", "wrong-kind"),
        ("nets.hinge", "nets.hing", "unknown-component"),
        ("nets.hinge", "nets.Plain", "unknown-component"),
        ("nets.hinge", "nets._Hidden", "unknown-component"),
        ("depth=2, ", "", "missing-argument"),
        ("depth=2", "depth=0", "out-of-range"),
        ("width=4", "width=4.5", "wrong-type"),
        ("nets.heights(clean)", "nets.heights(data)", "wrong-kind"),
        ("5 epochs", "nets.points", "wrong-kind"),
        ("nets.points(train=60)", "nets.points.train", "unknown-name"),
        ('"nets.py"', '"nots.py"', "missing-file"),
    ],
)
def test_one_mistake_is_one_diagnostic(checked, old, new, code) -> None:
    found = checked(SPEC.replace(old, new)).diagnostics
    assert [one.code for one in found if one.severity == "error"] == [code]


@pytest.mark.parametrize(
    "python",
    [
        "x = " + "(" * 500 + ")" * 500,
        "\0",
        "def f(:",
        "",
        "x = 1\n" * 2_000_000,
        "class A(A): pass",
        "x: int",
    ],
)
def test_whatever_the_file_holds_it_is_one_diagnostic(checked, python) -> None:
    found = checked(python=python).diagnostics
    assert [one.code for one in found] in (["bad-component"], ["not-text"], ["too-large"])


def test_nothing_is_run(spec, tmp_path) -> None:
    mark = tmp_path / "ran"
    spec(python=NETS + f"\nopen({str(mark)!r}, 'w').close()\n")
    assert not mark.exists()


def test_what_an_analysis_gives_is_in_base_units(checked):
    found = checked(python=NETS.replace('"nats [rank]"', '"bits [rank]"')).diagnostics
    assert any("write `nats`" in fault.message for fault in found)
