"""`gen validate`, `gen fmt` and `gen new`, as a user runs them."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

import pytest

from gendsl_runtime.cli import fmt, new, validate
from gendsl_runtime.cli.options import UsageError
from tests.language.specs_on_hand import ROOT, SHIPPED

UGLY = "seeds  0..4\n# kept\nlet x=3 # kept too\n"


def command(module, *words: str) -> int:
    parser = argparse.ArgumentParser()
    module.add(parser)
    try:
        return module.main(parser.parse_args([str(word) for word in words]))
    except UsageError as error:
        print(error, file=sys.stderr)
        return 2


def told_by(code: str) -> str:
    """What `code` says on stderr in a new process, which knows this checkout alone."""
    env = {"PYTHONPATH": f"{ROOT}:{ROOT / 'runtime'}", "PATH": "/usr/bin:/bin"}
    script = [sys.executable, "-c", f"import sys, time\n{code}"]
    return subprocess.run(script, capture_output=True, text=True, check=True, env=env).stderr


def loaded_by(code: str, *modules: str) -> set[str]:
    """Which of these modules a new process has loaded after `code`."""
    return set(told_by(f"{code}\nprint(*({set(modules)!r} & set(sys.modules)), file=sys.stderr)").split())


VALIDATE = """
import argparse
from gendsl_runtime.cli import validate
parser = argparse.ArgumentParser()
validate.add(parser)
validate.main(parser.parse_args([{path!r}]))
"""


@pytest.mark.parametrize("path", SHIPPED[:2], ids=lambda path: path.stem)
def test_validating_stays_light(path: Path):
    heavy = (
        "torch",
        "numpy",
        "networkx",
        "jinja2",
        "rich",
        "scipy",
        "pandas",
        "lark",
        "starlette",
        "uvicorn",
    )
    assert loaded_by(VALIDATE.format(path=str(path)), *heavy) == set()


def test_validating_is_quick():
    """The one promise of time that is tested: half a second of CPU, the best of five fresh processes. About 0.25 s are
    measured (`benchmarks/validate.py`); a machine may be half as fast."""
    code = VALIDATE.format(path=str(SHIPPED[0])) + "print(time.process_time(), file=sys.stderr)"
    told_by(code)  # fills the caches
    assert min(float(told_by(code)) for _ in range(5)) < 0.5


def test_a_syntax_error_is_shown_without_pydantic(tmp_path: Path):
    path = tmp_path / "x.gen"
    path.write_text("model = mlp()\n")
    assert loaded_by(VALIDATE.format(path=str(path)), "pydantic", "gendsl.check") == set()


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_specs_have_no_mistakes(path: Path, capsys):
    assert command(validate, path) == 0, capsys.readouterr().out


def test_validate_several_files_as_json_and_sarif(tmp_path: Path, capsys):
    for name in ("one", "two"):
        (tmp_path / f"{name}.gen").write_text("model = mlp()\n")
    files = (tmp_path / "one.gen", tmp_path / "two.gen", tmp_path / "three.gen")
    assert command(validate, *files, "--format", "json") == 1
    codes = [record["code"] for record in json.loads(capsys.readouterr().out)["diagnostics"]]
    assert codes == ["missing-name", "missing-name", "missing-file"]
    assert command(validate, *files, "--format", "sarif") == 1
    assert len(json.loads(capsys.readouterr().out)["runs"][0]["results"]) == 3


def test_fmt_writes_and_says_so(tmp_path: Path, capsys):
    path = tmp_path / "x.gen"
    path.write_text(UGLY)
    path.chmod(0o640)
    assert command(fmt, path, "--check") == 1
    assert path.read_text() == UGLY
    assert command(fmt, path) == 0
    assert path.read_text() == "seeds 0..4\n# kept\nlet x = 3  # kept too\n"
    assert path.stat().st_mode & 0o777 == 0o640
    assert command(fmt, path, "--check") == 0
    assert [file.name for file in tmp_path.iterdir()] == ["x.gen"]
    said = capsys.readouterr().out
    assert "would change" in said
    assert "formatted" in said


def test_fmt_leaves_what_it_cannot_read(tmp_path: Path, capsys):
    path = tmp_path / "x.gen"
    path.write_text("model = mlp()\n")
    assert command(fmt, path, tmp_path / "missing.gen") == 1
    assert path.read_text() == "model = mlp()\n"
    said = capsys.readouterr().out
    assert "missing-name" in said
    assert "missing-file" in said


def test_new_writes_a_spec_without_mistakes(tmp_path: Path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert command(new, "first") == 0
    assert command(validate, "first.gen") == 0, capsys.readouterr().out
    assert command(fmt, "first.gen", "--check") == 0
    before = (tmp_path / "first.gen").read_text()
    assert command(new, "first") == 2
    assert (tmp_path / "first.gen").read_text() == before
    assert "already there" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["train", "a-b", "9", "", "nowhere/first"])
def test_new_refuses_names(name: str, tmp_path: Path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert command(new, name) == 2
    assert not list(tmp_path.iterdir())
