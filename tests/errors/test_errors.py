"""Wrong specs and exactly what `gen validate` says about them: NAME.gen beside NAME.txt.

After a wanted change of the messages: `UPDATE_ERRORS=1 pytest tests/errors`, then read the difference.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import pytest

from gendsl_runtime.cli import validate

FOLDER = Path(__file__).parent
WRONG = sorted(FOLDER.glob("*.gen"))


@pytest.mark.parametrize("path", WRONG, ids=lambda path: path.stem)
def test_says_exactly(path: Path, monkeypatch, capsys):
    monkeypatch.chdir(FOLDER)
    parser = argparse.ArgumentParser()
    validate.add(parser)
    code = validate.main(parser.parse_args([path.name]))
    found = capsys.readouterr().out
    expected = path.with_suffix(".txt")
    if os.environ.get("UPDATE_ERRORS"):
        expected.write_text(found, "utf-8")
    assert found == expected.read_text("utf-8")
    assert code == (1 if "error[" in found else 0)


def test_every_message_has_its_spec():
    assert {path.stem for path in FOLDER.glob("*.txt")} == {path.stem for path in WRONG}
