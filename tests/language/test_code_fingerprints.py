"""Fingerprints of user code: they see what a component reaches, and nothing else."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gendsl import fingerprint as fingerprints
from gendsl.fingerprint import Fingerprint, UnreadableError, fingerprint

NETS = '''
"""Networks."""
import json
import torch
from torch import nn
from layers import Block, SCALE
from parts.deep import factor
import helper
import parts.other

WIDTH: int = 64
UNUSED = 3
TABLE = {"a": 1}


def normalise(x):
    """To mean zero."""
    return x - x.mean()  # along nothing


def unrelated(x):
    return json.dumps(x)


def marked(cls):
    return cls


@marked
class Net(Block):
    """A network."""

    def __init__(self, inputs: int, outputs: int, *, width: int = WIDTH) -> None:
        super().__init__()
        self.first = nn.Linear(inputs, width)

    def forward(self, x):
        y: torch.Tensor = normalise(x) * SCALE * factor
        return helper.shift(y) + parts.other.ONE + TABLE["a"]
'''
FILES = {
    "nets.py": NETS,
    "layers.py": "from torch import nn\nSCALE = 2\nIDLE = 1\n\nclass Block(nn.Module):\n    kind = 'block'\n",
    "helper.py": "from parts import deep\n\ndef shift(x):\n    return x + deep.factor\n\ndef idle(x):\n    return x\n",
    "parts/__init__.py": "",
    "parts/deep.py": "from .numbers import BASE\nfactor = BASE + 1\n",
    "parts/numbers.py": "BASE = 10\nOTHER = 11\n",
    "parts/other.py": "ONE = 1\nTWO = 2\n",
}


@pytest.fixture
def made(tmp_path):
    def make(name: str = "Net", *changes: tuple[str, str, str], files=FILES) -> Fingerprint:
        texts = dict(files)
        for file, old, new in changes:
            assert old in texts[file], old
            texts[file] = texts[file].replace(old, new)
        for file, text in texts.items():
            path = tmp_path / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return fingerprint(tmp_path / "nets.py", name)

    return make


KEEP = {
    "comment": ("nets.py", "# along nothing", "# otherwise"),
    "docstring": ("nets.py", "To mean zero.", "Something else."),
    "no docstring": ("nets.py", '    """A network."""\n\n', ""),
    "docstring of the file": ("nets.py", '"""Networks."""', '"""More."""'),
    "layout": ("nets.py", "return x - x.mean()", "return (\n        x\n        - x.mean( )\n    )"),
    "quotes": ("layers.py", "'block'", '"block"'),
    "annotation of an argument": ("nets.py", "inputs: int", "inputs: float"),
    "annotation of a result": ("nets.py", ") -> None:", "):"),
    "annotation of a local": ("nets.py", "y: torch.Tensor = ", "y = "),
    "annotation of a constant": ("nets.py", "WIDTH: int = 64", "WIDTH = 64"),
    "unrelated function": ("nets.py", "json.dumps(x)", "json.dumps([x])"),
    "unrelated constant": ("nets.py", "UNUSED = 3", "UNUSED = 4"),
    "unrelated function elsewhere": ("helper.py", "    return x\n", "    return -x\n"),
    "unrelated constant elsewhere": ("parts/numbers.py", "OTHER = 11", "OTHER = 12"),
    "for type checkers": (
        "nets.py",
        "UNUSED = 3",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import os",
    ),
    "for the command line": ("nets.py", "UNUSED = 3", 'if __name__ == "__main__":\n    print(1)'),
}
CHANGE = {
    "helper": ("nets.py", "x - x.mean()", "x - x.max()"),
    "constant": ("nets.py", "= 64", "= 65"),
    "type of a constant": ("nets.py", "= 64", "= 64.0"),
    "default": ("nets.py", "width: int = WIDTH", "width: int = 3"),
    "decorator": ("nets.py", "@marked\n", ""),
    "what the decorator does": ("nets.py", "    return cls", "    return object"),
    "base class": ("nets.py", "class Net(Block)", "class Net(nn.Module)"),
    "in the base class": ("layers.py", "'block'", "'blocks'"),
    "constant elsewhere": ("layers.py", "SCALE = 2", "SCALE = 3"),
    "function of a module": ("helper.py", "x + deep.factor", "x - deep.factor"),
    "two modules away": ("parts/numbers.py", "BASE = 10", "BASE = 12"),
    "constant of a submodule": ("parts/other.py", "ONE = 1", "ONE = 0"),
    "what importing does": ("nets.py", "UNUSED = 3", "torch.set_default_dtype(torch.float64)"),
    "what importing another does": ("layers.py", "IDLE = 1", "nn.Module.training = False"),
    "what importing a package does": ("parts/__init__.py", "", "import sys; sys.setrecursionlimit(99)"),
    "a table filled later": ("nets.py", "UNUSED = 3", "TABLE['a'] = 2"),
}


@pytest.mark.parametrize("change", KEEP.values(), ids=KEEP)
def test_what_changes_nothing_keeps_it(made, change) -> None:
    assert made("Net", change).digest == made().digest


@pytest.mark.parametrize("change", CHANGE.values(), ids=CHANGE)
def test_what_changes_something_changes_it(made, change) -> None:
    before, after = made(), made("Net", change)
    assert after.digest != before.digest
    assert after.parts != before.parts and not after.doubts and not before.doubts


def test_parts_name_what_changed(made) -> None:
    before, after = made(), made("Net", CHANGE["helper"])
    changed = [name for name in before.parts if before.parts[name].digest != after.parts[name].digest]
    assert changed == ["function normalise"]
    part = after.parts["function normalise"]
    assert part.line == NETS[: NETS.index("def normalise")].count("\n") + 1 and part.path.name == "nets.py"
    assert {"class Net", "class layers.Block", "constant parts.numbers.BASE", "distribution torch"} <= set(
        before.parts
    )
    assert not {"constant UNUSED", "function unrelated", "function helper.idle"} & set(before.parts)


def test_neither_the_place_nor_the_name_of_the_file_counts(made, tmp_path) -> None:
    before = made()
    other = tmp_path / "other"
    for file, text in FILES.items():
        path = other / file.replace("nets.py", "renamed.py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert fingerprint(other / "renamed.py", "Net").digest == before.digest


TOP = ast.parse(NETS).body


@settings(max_examples=40, deadline=None)
@given(st.permutations([at for at, node in enumerate(TOP) if isinstance(node, ast.FunctionDef)]), st.data())
def test_reordering_and_reformatting_keep_it(tmp_path_factory, order, data) -> None:
    """The text is written anew from its tree, definitions in another order, with comments between."""
    folder = tmp_path_factory.mktemp("project")
    for file, text in FILES.items():
        (folder / file).parent.mkdir(exist_ok=True)
        (folder / file).write_text(text)
    before = fingerprint(folder / "nets.py", "Net")
    functions = iter(order)
    body = [TOP[next(functions)] if isinstance(node, ast.FunctionDef) else node for node in TOP]
    comment = data.draw(st.text("abc #'", max_size=20))
    (folder / "nets.py").write_text(f"\n# {comment}\n\n".join(map(ast.unparse, body)))
    assert fingerprint(folder / "nets.py", "Net").digest == before.digest


DOUBTS = {
    "everything from elsewhere": ("from helper import *", "everything is imported"),
    "globals": ("def pick():\n    return globals()['unrelated']", "`globals`"),
    "exec": ("def pick():\n    exec('pass')", "`exec`"),
    "a module as a value": ("def pick():\n    return getattr(helper, 'idle')", "used as a value"),
    "import by name": (
        "def pick():\n    import importlib\n    importlib.import_module('x')",
        "import_module",
    ),
    "bound twice": ("pick = 1\npick += 1", "bound more than once"),
    "no distribution": ("import nobody_knows_this\npick = nobody_knows_this", "which version"),
}


@pytest.mark.parametrize(("text", "reason"), DOUBTS.values(), ids=DOUBTS)
def test_what_the_text_does_not_tell_counts_the_whole_file(made, text, reason) -> None:
    use = ("nets.py", "        super().__init__()\n", "        super().__init__()\n        pick\n")
    with_it = ("nets.py", "UNUSED = 3", f"{text}\nUNUSED = 3")
    before = made("Net", use, with_it)
    assert any(reason in doubt.reason for doubt in before.doubts), before.doubts
    after = made("Net", use, with_it, ("nets.py", "json.dumps(x)", "json.dumps([x])"))
    assert after.digest != before.digest


def test_versions_of_distributions_count(made, monkeypatch) -> None:
    before = made()
    monkeypatch.setattr(fingerprints, "version", lambda name: "0.1")
    assert made().digest != before.digest
    monkeypatch.setattr(fingerprints, "version", lambda name: None)
    assert made().doubts


def test_a_broken_module_is_told_and_nothing_is_run(made) -> None:
    with pytest.raises(UnreadableError) as found:
        made("Net", ("helper.py", "def shift(x):", "def shift(x:"))
    assert found.value.path.name == "helper.py" and found.value.line == 3
    assert made("Net", ("layers.py", "IDLE = 1", "raise SystemExit")).digest
    with pytest.raises(KeyError):
        made("Nothing")


def test_circles_end(made) -> None:
    assert made("Net", ("layers.py", "IDLE = 1", "from nets import Net")).digest
    assert isinstance(made().parts["class Net"].path, Path)
