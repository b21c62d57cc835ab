"""The methods paragraph and the references: what was done, from the descriptions of the components used."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gendsl import spec
from gendsl.diagnostic import DiagnosticError
from gendsl.fingerprint import UnreadableError
from gendsl.spec.shown import shown
from gendsl_runtime.components import described
from gendsl_runtime.report.papers import Paper, papers

HEADINGS = {
    "dataset": "Data",
    "model": "Models",
    "train": "Training",
    "optimizer": "Optimisation",
    "schedule": "Learning rate",
    "loss": "Loss",
    "analysis": "Measurements",
    "statistic": "Statistics",
}


Mention = tuple[str, str, str, int, dict[str, spec.Value], spec.Code | None]
"""Who uses a component, its kind, name, version and parameters, and its code where it is the user's."""


@dataclass(frozen=True)
class Used:
    """One component as it was used: under which names, with which parameters."""

    kind: str
    name: str
    version: int
    code: spec.Code | None
    uses: tuple[tuple[str, str], ...]
    """Name of the declaration and its parameters in short."""
    summary: str
    papers: tuple[str, ...]


@dataclass(frozen=True)
class Methods:
    """What the report prints: components under headings, references in order of first mention."""

    sections: tuple[tuple[str, tuple[Used, ...]], ...]
    references: tuple[Paper, ...]
    others: tuple[str, ...] = ()
    """Papers that the spec names in its own words."""

    def number(self, key: str) -> int | None:
        """The number of a reference, from 1; those without an entry follow the others."""
        keys = [*(paper.key for paper in self.references), *self.others]
        return keys.index(key) + 1 if key in keys else None

    @property
    def bibtex(self) -> str:
        return "\n\n".join(paper.text for paper in self.references) + "\n"


def methods(experiment: spec.Spec) -> Methods:
    """The components of an experiment, described, and the papers they and the experiment name."""
    found: dict[tuple[str, str, spec.Code | None], list[tuple[str, str]]] = {}
    versions: dict[tuple[str, str, spec.Code | None], int] = {}
    for owner, kind, name, version, arguments, code in _mentions(experiment):
        uses = found.setdefault((kind, name, code), [])
        versions[kind, name, code] = version
        text = ", ".join(f"{key} = {shown(value)}" for key, value in arguments.items() if _says(value))
        if (owner, text) not in uses:
            uses.append((owner, text))
    used = [
        _used(kind, name, versions[kind, name, code], code, uses)
        for (kind, name, code), uses in found.items()
    ]
    sections = tuple(
        (heading, tuple(item for item in used if item.kind == kind))
        for kind, heading in HEADINGS.items()
        if any(item.kind == kind for item in used)
    )
    keys = [*experiment.paper, *(key for _, items in sections for item in items for key in item.papers)]
    known = papers()
    return Methods(
        sections,
        tuple(known[key] for key in dict.fromkeys(keys) if key in known),
        tuple(key for key in dict.fromkeys(keys) if key not in known),
    )


def _says(value: spec.Value) -> bool:
    """Whether a parameter is worth printing beside the component."""
    return not isinstance(value, spec.Nothing | spec.Component) and value != spec.Items(items=())


def _used(kind: str, name: str, version: int, code: spec.Code | None, uses: list[tuple[str, str]]) -> Used:
    try:
        description = described(kind, name, code)
    except (DiagnosticError, UnreadableError):
        description = None  # a file of the user's that is gone, or was edited since
    summary = description.summary if description else ""
    papers = description.paper if description else ()
    return Used(kind, name, version, code, tuple(uses), summary, papers)


def _mentions(experiment: spec.Spec) -> Iterator[Mention]:
    """Every component of the spec."""
    for step in experiment.steps.values():
        yield step.name, step.kind, step.component, step.version, step.arguments, step.code
        for value in step.arguments.values():
            yield from _nested(step.name, value)
    for axis in experiment.axes.values():
        for value in axis.values:
            yield from _nested(axis.name, value)
    for claim in experiment.claims:
        for value in (claim.left, claim.right):
            yield from _nested(claim.name, value)


def _nested(owner: str, value: spec.Value) -> Iterator[Mention]:
    match value:
        case spec.Component(kind=kind, name=name, version=version, arguments=arguments, code=code):
            yield owner, kind, name, version, arguments, code
            for item in arguments.values():
                yield from _nested(owner, item)
        case spec.Statistic(name=name, version=version, values=values):
            yield owner, "statistic", name, version, {}, None
            for item in values:
                yield from _nested(owner, item)
        case spec.Items(items=items) | spec.Operation(operands=items):
            for item in items:
                yield from _nested(owner, item)
        case spec.Where(subject=subject):
            yield from _nested(owner, subject)
