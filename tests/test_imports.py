"""Who may import whom: the language knows nothing of the engine, and the engine is built in layers."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import gendsl
import gendsl_runtime

LANGUAGE = Path(gendsl.__file__).parent
ENGINE = Path(gendsl_runtime.__file__).parent

LANGUAGE_MAY_IMPORT = {"gendsl", "lark", "pydantic", "networkx"}
"""Beside the standard library. networkx is for planning only."""

LAYERS: tuple[frozenset[str], ...] = (
    frozenset({"problem", "record", "random", "numerics", "component", "components", "length", "arguments"}),
    frozenset({"store"}),
    frozenset({"data", "network"}),
    frozenset({"runs"}),
    frozenset({"train", "chart"}),
    frozenset({"measures"}),
)
"""Parts of the engine from the ground up: each may import its own layer and those below it."""
COMPONENTS = frozenset(
    {"datasets", "models", "optimizers", "schedules", "losses", "analyses", "statistics", "plots"}
)
"""Above all layers. Components of one kind know nothing of the other kinds, and nothing runs or reports them
from here: whatever is neither here nor in a layer is out of their reach."""
TOP = ("run", "face", "cli")
"""What a person calls: nothing else imports them, and each only those before it."""


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """Line and dotted name of every import of a file, also those inside functions."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports are absolute"
            for alias in node.names:
                yield node.lineno, f"{node.module}.{alias.name}"


def part(path: Path) -> str:
    """The part of the engine a file belongs to: its folder, or the module itself."""
    return path.relative_to(ENGINE).parts[0].removesuffix(".py")


def reach(own: str) -> frozenset[str] | None:
    """Parts that a part may import; None where there is no layer to say so."""
    for place, layer in enumerate(LAYERS):
        if own in layer:
            return frozenset().union(*LAYERS[: place + 1])
    return frozenset().union(*LAYERS, {own}) if own in COMPONENTS else None


@pytest.mark.parametrize("path", sorted(LANGUAGE.rglob("*.py")), ids=lambda p: str(p.relative_to(LANGUAGE)))
def test_the_language_needs_little(path):
    for line, name in imported(path):
        top = name.split(".")[0]
        # `gendsl.run` and `gendsl.load` lead to the engine when they are called.
        is_face = path == LANGUAGE / "__init__.py" and top == "gendsl_runtime"
        is_fine = is_face or top in LANGUAGE_MAY_IMPORT or top in sys.stdlib_module_names
        assert is_fine, f"{path}:{line} imports {name}"
        assert top != "networkx" or path.parent.name == "plan", (
            f"{path}:{line}: networkx is for planning only"
        )


@pytest.mark.parametrize("path", sorted(ENGINE.rglob("*.py")), ids=lambda p: str(p.relative_to(ENGINE)))
def test_the_engine_is_built_in_layers(path):
    own = part(path)
    allowed = reach(own)
    for line, name in imported(path):
        if not name.startswith("gendsl_runtime."):
            continue
        other = name.split(".")[1]
        if not ((ENGINE / other).is_dir() or (ENGINE / f"{other}.py").is_file()):
            continue  # a name of the package itself
        if allowed is not None:
            assert other in allowed, f"{path}:{line}: `{own}` may not import `{other}`"
        elif own not in TOP:
            assert other not in TOP, f"{path}:{line}: nothing imports `{other}`"
        else:
            assert other not in TOP[TOP.index(own) + 1 :], f"{path}:{line}: nothing imports `{other}`"


def test_reading_the_catalogue_imports_no_component():
    code = (
        "import sys; from gendsl_runtime.components import catalogue; found = catalogue(); "
        "assert found.names('dataset'); "
        "heavy = {'torch', 'numpy', 'networkx', 'jinja2', 'rich', 'sklearn'} & set(sys.modules); "
        "assert not heavy, heavy"
    )
    environment = {"PYTHONPATH": f"{LANGUAGE.parent}:{ENGINE.parent}", "PATH": "", "HOME": str(Path.home())}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
