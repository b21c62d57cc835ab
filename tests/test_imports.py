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

PASSES: tuple[frozenset[str], ...] = (
    frozenset({"words", "places", "quantity", "explain"}),
    frozenset({"source", "diagnostic"}),
    frozenset({"fingerprint"}),
    frozenset({"tree", "spec", "catalogue", "render"}),
    frozenset({"parse", "plan", "sarif"}),
    frozenset({"check", "format", "highlight"}),
)
"""Every part of the language, from the ground up: each may import itself and the layers below. A plan is
made of a spec alone."""

MUTUAL = frozenset({"source", "diagnostic"})
"""A diagnostic is about a source, and a source that cannot be read is a diagnostic."""

COMPONENTS = frozenset(
    {"datasets", "models", "optimizers", "schedules", "losses", "analyses", "statistics", "plots"}
)
DRAWN = {"plots": frozenset({"statistics"})}
"""A figure of a statistic (`ranking` draws rank correlations) is of what claims take: computed by the same function."""
LAYERS: tuple[frozenset[str], ...] = (
    frozenset({"problem"}),
    frozenset({"python"}),
    frozenset(
        {
            "record",
            "random",
            "noise",
            "numerics",
            "component",
            "components",
            "length",
            "changes",
            "draft",
            "environment",
            "json_numbers",
            "settings",
            "shipped",
        }
    ),
    frozenset({"arguments", "network", "store", "chart", "device", "reading", "recipe"}),
    frozenset({"data", "results", "saved", "states", "permission"}),
    frozenset({"runs", "lock", "why"}),
    frozenset({"train"}),
    frozenset({"measures", "execute"}),
    COMPONENTS,
    frozenset({"claims"}),
    frozenset({"archive", "report"}),
    frozenset({"progress"}),
    frozenset({"run", "serve"}),
    frozenset({"cli", "face"}),
)
"""Every part of the engine, from the ground up: each may import itself and the layers below, and nothing else.

So components of one kind know nothing of the other kinds, what runs them knows them by name only, and nobody
imports what a person calls.
"""


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """Line and dotted name of every import of a file, also inside functions; not of those for type checkers."""
    tree = ast.parse(path.read_text("utf-8"))
    for_types = [
        node for node in tree.body if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
    ]
    tree.body = [node for node in tree.body if node not in for_types]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports are absolute"
            for alias in node.names:
                yield node.lineno, f"{node.module}.{alias.name}"


def part(path: Path, root: Path) -> str:
    """The part a file belongs to: its folder, or the module itself."""
    return path.relative_to(root).parts[0].removesuffix(".py")


def parts(root: Path) -> set[str]:
    return {part(path, root) for path in root.rglob("*.py")} - {"__init__"}


def check_layers(path: Path, root: Path, layers: tuple[frozenset[str], ...]) -> None:
    own = part(path, root)
    if own == "__init__":
        return  # the package's face belongs to no layer
    (place,) = (place for place, layer in enumerate(layers) if own in layer)
    allowed = frozenset({own}).union(*layers[:place])
    if own in MUTUAL:
        allowed |= MUTUAL
    if root == ENGINE:
        allowed |= DRAWN.get(own, frozenset())
    for line, name in imported(path):
        other = name.removeprefix(f"{root.name}.").split(".")[0]
        if name.startswith(f"{root.name}.") and other in parts(root):
            assert other in allowed, f"{path}:{line}: `{own}` may not import `{other}`"


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


@pytest.mark.parametrize(
    ("path", "root", "layers"),
    [
        pytest.param(path, root, layers, id=str(path.relative_to(root.parent)))
        for root, layers in ((LANGUAGE, PASSES), (ENGINE, LAYERS))
        for path in sorted(root.rglob("*.py"))
    ],
)
def test_both_halves_are_built_in_layers(path, root, layers):
    check_layers(path, root, layers)


@pytest.mark.parametrize(
    ("root", "layers"), [(LANGUAGE, PASSES), (ENGINE, LAYERS)], ids=("language", "engine")
)
def test_every_part_has_one_layer(root, layers):
    assert sorted(name for layer in layers for name in layer) == sorted(parts(root))


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
