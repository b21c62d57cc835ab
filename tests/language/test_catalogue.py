from __future__ import annotations

import subprocess
import sys

import pytest

from gendsl.catalogue import Catalogue
from gendsl.catalogue.description import literal, signature
from gendsl_runtime.components import catalogue
from tests.language.checking import components


def written(tmp_path, text, name="wide", kind="model"):
    (tmp_path / f"{name}.py").write_text(text)
    return Catalogue.read({kind: tmp_path}, cache=tmp_path / "cache.json")


def test_signature_gives_types_defaults_and_names():
    sgd = components().find("optimizer", "sgd")
    assert signature(sgd) == "sgd(lr=0.1, momentum=0.0, schedule=constant, clip=none)"
    lr, clip = sgd.parameters["lr"].type, sgd.parameters["clip"].type
    assert (lr.name, lr.low, lr.open, lr.per_member) == ("Positive", 0, True, True)
    assert clip.optional and not clip.per_member
    poisoned = components().find("dataset", "poisoned")
    assert [p.name for p in poisoned.positional] == ["data"]
    assert poisoned.parameters["from"].python == "from_"


def test_units_axes_and_arity():
    volume = components().find("analysis", "volume")
    assert volume.gives["log_volume"].unit == "nats" and volume.gives["radius"].axes == ("ray",)
    crop = components().find("train", "train").parameters["crop"].type
    assert crop.unit == "px"
    assert components().find("statistic", "spearman").arity == 2
    assert components().find("statistic", "slope").arity == 1


def test_engine_arguments_are_not_parameters():
    assert list(components().find("model", "mlp").parameters) == ["hidden", "activation"]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ('"bits [level]"', "return 0.693147 times the number and write `nats`"),
        ('"%"', "return 0.01 times the number and write `1`"),
        ('"ms"', "write `s`"),
        ("1", "no unit for `length`"),
    ],
)
def test_results_are_in_base_units(tmp_path, given, says):
    """Nothing multiplies what an analysis returns: bits would be read as nats."""
    text = f'@analysis(version=1, gives={{"length": {given}}})\ndef code(runs: Runs):\n    """Doc."""\n'
    (fault,) = written(tmp_path, text, "code", "analysis").faults
    assert says in fault.message
    fine = text.replace(f": {given}", ": " + '"nats [level]"')
    assert not written(tmp_path, fine, "code", "analysis").faults


@pytest.mark.parametrize(
    ("text", "says", "line"),
    [
        ("@model(version=1)\ndef wide(:\n", "not valid Python", 2),
        ('@model(version=1)\ndef broad():\n    """Doc."""\n', "must stand in a file of its name", 2),
        ('@model(version=1)\ndef wide(*, width):\n    """Doc."""\n', "`width` has no type", 2),
        ('@model(version=1)\ndef wide(*, width: Tensor):\n    """Doc."""\n', "specs cannot give", 2),
        ('@model(version=1)\ndef wide(*, width: Count = N):\n    """Doc."""\n', "must be a literal", 2),
        ('@model(version=V)\ndef wide():\n    """Doc."""\n', "must be a literal", 1),
        ('@model()\ndef wide():\n    """Doc."""\n', "lacks `version`", 1),
        ('@model(version=1, task="x")\ndef wide():\n    """Doc."""\n', "knows no `task`", 1),
        ("@model(version=1)\ndef wide():\n    pass\n", "no docstring", 2),
        ('@model\ndef wide():\n    """Doc."""\n', "takes named literals", 1),
    ],
)
def test_a_malformed_file_is_named_with_its_line(tmp_path, text, says, line):
    found = written(tmp_path, text)
    (fault,) = found.faults
    assert says in fault.message
    assert fault.source.path.endswith("wide.py") and fault.source.position(fault.span.start).line == line
    assert not found.components


def test_other_files_of_a_folder_are_left_aside(tmp_path):
    found = written(tmp_path, "def helper(): ...\n", name="layers")
    assert not found.components and not found.faults


def test_a_changed_file_is_read_again(tmp_path):
    text = '@model(version=1)\ndef wide(*, width: Count = 1):\n    """Doc."""\n'
    assert written(tmp_path, text).find("model", "wide").version == 1
    assert written(tmp_path, text.replace("version=1", "version=12")).find("model", "wide").version == 12


def test_read_from_the_cache_is_the_same(tmp_path):
    text = (
        '@model(version=1, paper=("a", "b"))\ndef wide(*, w: list[Count] | None = (1, 2)):\n    """Doc."""\n'
    )
    first = written(tmp_path, text).find("model", "wide")
    second = Catalogue.read({"model": tmp_path}, cache=tmp_path / "cache.json").find("model", "wide")
    assert first == second and first.paper == ("a", "b")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"format": 1}', b'{"format": 5, "files": 3}'])
def test_a_damaged_cache_is_made_again(tmp_path, content):
    (tmp_path / "cache.json").write_bytes(content)
    text = '@model(version=1)\ndef wide():\n    """Doc."""\n'
    assert written(tmp_path, text).find("model", "wide") is not None


def test_shipped_components_are_all_well_formed():
    found = catalogue()
    assert not found.faults, [(f.source.path, f.message) for f in found.faults]
    assert found.find("train", "train") is not None


def test_reading_it_imports_no_engine():
    code = (
        "import sys; from gendsl_runtime.components import catalogue; catalogue();"
        "print([m for m in ('torch', 'numpy', 'pydantic', 'lark') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_literals_are_written_as_in_a_spec():
    assert literal([1, 2], components().find("model", "mlp").parameters["hidden"].type) == "[1, 2]"
    assert literal(None, components().find("optimizer", "sgd").parameters["clip"].type) == "none"
