"""Checks small specs against the components of `catalogue/`, which do nothing and never change."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from gendsl.catalogue import Catalogue
from gendsl.check import Checked, Options, check
from gendsl.parse import parse
from gendsl.source import Source
from gendsl.spec import Spec

FOLDER = Path(__file__).parent / "catalogue"
FOLDERS = {
    "dataset": "datasets",
    "model": "models",
    "optimizer": "optimizers",
    "schedule": "schedules",
    "loss": "losses",
    "train": "train",
    "analysis": "analyses",
    "statistic": "statistics",
    "plot": "plots",
}

BASE = """
seeds 0..9
dataset data = rings(train=100, held_back=50, test=100)
model net = mlp(hidden=[8])
train clean {
    model = net
    dataset = data
    optimizer = sgd(lr=0.1)
    budget = 5 epochs
}
"""
"""A training that tests add to."""
SWEPT = (
    BASE.replace("hidden=[8]", "hidden=[width, 2 * width]")
    + "sweep width in [4, 8, 16]\nanalysis g = gap(clean)\n"
)


@cache
def components() -> Catalogue:
    found = Catalogue.read(
        {kind: FOLDER / folder for kind, folder in FOLDERS.items()}, cache=Path("/dev/null")
    )
    assert not found.faults, found.faults
    return found


def checked(text: str, *, path: str = "spec.gen", **options) -> Checked:
    source = Source(text, path)
    file, faults = parse(source)
    assert not faults, faults
    return check(source, file, components(), Options(**options))


def spec(text: str, **options) -> Spec:
    """The spec of a text that must be right, warnings aside."""
    found = checked(text, **options)
    assert found.spec is not None, [d.message for d in found.diagnostics]
    return found.spec


def claim(text: str, base: str = SWEPT):
    return spec(base + f"claim c: {text}").claims[0]


def codes(text: str, **options) -> list[str]:
    return [found.code for found in checked(text, **options).diagnostics]


def only(text: str, **options):
    """The one diagnostic of a text, and what it underlines."""
    (found,) = checked(text, **options).diagnostics
    return found, found.source.text[found.span.start : found.span.end]
