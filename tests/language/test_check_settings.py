"""Parameters, presets, `--set`, `--seeds`, `--only`, imports."""

from __future__ import annotations

import pytest

from gendsl.check import Options, check
from gendsl.parse import parse
from gendsl.source import Source
from gendsl.spec import Choice, Flag, Number, Text
from tests.language.checking import BASE, checked, codes, components, only, spec

FILE = (
    BASE.replace("hidden=[8]", "hidden=[width]").replace("5 epochs", "length").replace("lr=0.1", "lr=rate")
    + """
param width: int = 64 in 8..1024
param length = 300 epochs in 1..4000 epochs
sweep rate in [0.1, 0.2]
analysis g = gap(clean)
preset smoke { width = 16  length = 2 epochs  seeds = 0..2  rate = [0.3]  data.noise = 0.1 }
preset tiny extends smoke { width = 8  clean.batch = 4 }
"""
)


def width(found):
    return found.steps["clean"].arguments["model"].arguments["hidden"].items[0]


def test_parameters_have_their_values_and_ranges():
    found = spec(FILE)
    assert found.parameters == {"width": Number(value=64), "length": Number(value=300, unit="epochs")}
    assert width(found) == Number(value=64)


def test_a_preset_replaces_parameters_seeds_sweeps_and_fields():
    found = spec(FILE, preset="smoke")
    assert found.preset == "smoke" and width(found) == Number(value=16)
    assert found.axes["seed"].labels == (0, 1, 2) and found.axes["rate"].labels == (0.3,)
    assert found.steps["data"].arguments["noise"] == Number(value=0.1)
    tiny = spec(FILE, preset="tiny")
    assert width(tiny) == Number(value=8) and tiny.steps["clean"].arguments["batch"] == Number(value=4)
    assert tiny.axes["rate"].labels == (0.3,)


def test_set_wins_over_a_preset_and_seeds_over_both():
    found = spec(
        FILE, preset="smoke", overrides=(("width", "32"), ("clean.optimizer.momentum", "50%")), seeds="3..9"
    )
    assert width(found) == Number(value=32)
    assert found.steps["clean"].arguments["optimizer"].arguments["momentum"] == Number(value=0.5)
    assert found.axes["seed"].labels == tuple(range(3, 10))


def test_set_on_a_base_reaches_what_extends_it():
    text = BASE + "train other extends clean { batch = 5 }"
    found = spec(text, overrides=(("clean.optimizer", "adam(lr=0.01)"), ("net", "mlp(hidden=[3])")))
    assert found.steps["other"].arguments["optimizer"].name == "adam"
    assert found.steps["clean"].arguments["model"].arguments["hidden"].items == (Number(value=3),)


def test_set_on_a_tuple_axis():
    text = BASE.replace("lr=0.1)", "lr=lr)\n batch = batch") + "sweep (lr, batch) in [(0.1, 64), (0.8, 512)]"
    assert spec(text, overrides=(("lr_batch", "[(0.5, 8)]"),)).axes["lr_batch"].labels == ((0.5, 8),)


@pytest.mark.parametrize(
    ("path", "value", "code", "shown"),
    [
        ("widht", "3", "unknown-setting", "widht"),
        ("clean.optimizer.rate", "3", "unknown-argument", "rate"),
        ("clean.bathc", "3", "unknown-field", "bathc"),
        ("clean", "3", "unknown-setting", "clean"),
        ("width.x", "3", "unknown-setting", "width.x"),
        ("wi-dth", "3", "unknown-setting", "wi-dth"),
        ("width", "3", "out-of-range", "3"),
        ("width", "3.5", "wrong-type", "3.5"),
        ("width", "64 epochs", "wrong-unit", "64 epochs"),
        ("width", "nett", "unknown-name", "nett"),
        ("length", "5", "missing-unit", "5"),
        ("length", "relu", "wrong-type", "relu"),
        ("clean.dataset", "net", "wrong-kind", "net"),
    ],
)
def test_a_wrong_set_is_shown_as_typed(path, value, code, shown):
    found, text = only(FILE, overrides=((path, value),))
    assert (found.code, text) == (code, shown)
    assert found.source.path.startswith("--set")


def test_a_set_that_cannot_be_read_is_a_diagnostic():
    assert checked(FILE, overrides=(("width", "(("),)).spec is None


def test_unknown_preset_names_the_nearest():
    found, _ = only(FILE, preset="smok")
    assert (found.code, found.help) == ("unknown-preset", "did you mean `smoke`?")


def test_a_preset_is_looked_at_also_when_it_is_not_chosen():
    assert codes(FILE + "preset bad { width = 4 }") == ["out-of-range"]
    assert codes(FILE + "preset bad { clean.bach = 4 }") == ["unknown-field"]


def test_seeds_need_seeds_to_replace():
    assert codes(BASE.replace("seeds 0..9", ""), seeds="0..3") == ["unknown-setting"]


def test_only_keeps_what_is_needed():
    text = (
        FILE
        + "train other extends clean { batch = 5 }\nanalysis h = gap(other)\nclaim c: mean(g.error) < 5%\n"
    )
    found = spec(text, only=("c",))
    assert list(found.steps) == ["data", "clean", "g"] and [claim.name for claim in found.claims] == ["c"]
    assert spec(text, only=("other",)).claims == ()
    assert codes(text, only=("othr",)) == ["unknown-setting"]


@pytest.mark.parametrize(
    ("declaration", "value"),
    [
        ("param p: share = 20%", Number(value=0.2)),
        ("param p: flag = true", Flag(value=True)),
        ("param p = relu in [relu, tanh]", Choice(name="relu")),
        ('param p: text = "a"', Text(value="a")),
        ("param p = 2 * 8", Number(value=16)),
        ("param p: length = 20 steps", Number(value=20, unit="steps")),
        ("param p = 1.5 in 0.5..2 by 0.5", Number(value=1.5)),
    ],
)
def test_types_of_parameters(declaration, value):
    assert spec(BASE + declaration).parameters["p"] == value


@pytest.mark.parametrize(
    ("declaration", "code"),
    [
        ("param p: int = 1.5", "wrong-type"),
        ("param p: float = 1.5", "unknown-type"),
        ("param p: share = 120%", "out-of-range"),
        ("param p = relu in [tanh]", "out-of-range"),
        ("param p = 3 in 1..4 epochs", "wrong-unit"),
        ("param p = 3 epochs in 1..4", "wrong-unit"),
        ("param p = 3 in 4", "wrong-type"),
        ("param p = [1..3]", "wrong-type"),
        ("param p = 3 in 0..4 by 2", "out-of-range"),
    ],
)
def test_wrong_parameters(declaration, code):
    assert codes(BASE + declaration) == [code]


def test_component_parameters_can_be_replaced():
    text = BASE.replace("sgd(lr=0.1)", "opt") + "param opt: optimizer = sgd(lr=0.1)"
    assert spec(text).parameters["opt"].name == "sgd"
    found = spec(text, overrides=(("opt", "adam"),))
    assert found.steps["clean"].arguments["optimizer"].name == "adam"


def imported(tmp_path, common: str, main: str, **options):
    (tmp_path / "common.gen").write_text(common)
    path = tmp_path / "main.gen"
    path.write_text(main)
    source = Source.read(str(path))
    file, faults = parse(source)
    assert not faults
    return check(source, file, components(), Options(**options))


COMMON = """
experiment shared { title = "not taken over" }
seeds 0..1
param size: int = 50
sweep width in [4, 8]
dataset data = rings(train=size, seed=seed)
model net = mlp(hidden=[width])
train fit { model = net  dataset = data  optimizer = sgd()  budget = 2 epochs }
claim never: 1 < 2
"""
MAIN = """
import "common.gen" as common
seeds 0..9
train longer extends common.fit { budget = 9 epochs }
analysis g = gap(longer)
claim c: mean(g.error where common.width == 4) < mean(g.error where common.width == 8)
"""


def test_an_imported_file_lends_its_names(tmp_path):
    found = imported(tmp_path, COMMON, MAIN).spec
    assert list(found.steps) == ["common.data", "longer", "g"]
    assert list(found.axes) == ["common.width", "seed"] and len(found.axes["seed"].values) == 10
    assert found.steps["common.data"].axes == ("seed",)
    assert found.title == "main" and [claim.name for claim in found.claims] == ["c"]
    assert found.claims[0].left.values[0].fixed == {"common.width": 0}


def test_parameters_of_an_imported_file_can_be_set(tmp_path):
    found = imported(
        tmp_path, COMMON, MAIN, overrides=(("common.size", "20"), ("common.width", "[4, 8, 9]"))
    ).spec
    assert found.steps["common.data"].arguments["train"] == Number(value=20)
    assert len(found.axes["common.width"].values) == 3


def test_faults_of_an_imported_file_are_shown_there(tmp_path):
    found = imported(tmp_path, COMMON.replace("hidden=[width]", "hidden=[widht]"), MAIN).diagnostics
    assert [fault.code for fault in found] == ["unknown-name"]
    assert found[0].source.path.endswith("common.gen")


def test_an_imported_file_with_a_syntax_error_is_one_diagnostic(tmp_path):
    found = imported(tmp_path, COMMON.replace("hidden=[width]", "hidden=[width"), MAIN).diagnostics
    assert len(found) == 1 and found[0].source.path.endswith("common.gen")


@pytest.mark.parametrize(
    ("common", "main", "code"),
    [
        (COMMON, MAIN.replace("common.fit", "common.fitt"), "unknown-name"),
        (COMMON, MAIN.replace("common.gen", "comon.gen"), "missing-file"),
        ('import "main.gen" as main\n' + COMMON, MAIN, "import-cycle"),
        (COMMON, MAIN.replace("common.gen", "nets.py"), "missing-file"),
        (COMMON, MAIN.replace("common.fit", "common.never"), "unknown-name"),
        (COMMON, 'import "common.gen" as common', "unused-name"),
    ],
)
def test_wrong_imports(tmp_path, common, main, code):
    assert [fault.code for fault in imported(tmp_path, common, main).diagnostics] == [code]
