"""What the results of a plan are made from: kept with them in the store, and compared field by field.

A field is one thing a key depends on, by its path: `optimizer.lr`, `dataset.noise` (of the step that feeds the
argument `dataset`), `numerics.torch`. Two nodes with equal fields have equal recipe keys.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gendsl.plan import Plan
from gendsl.spec import (
    Along,
    Component,
    InputFile,
    Items,
    Moment,
    Quantity,
    Spec,
    Split,
    Step,
    Use,
    Value,
    Where,
)
from gendsl.spec.shown import shown
from gendsl.spec.substitute import along, at, labels, substituted
from gendsl_runtime.changes import ABSENT, Change
from gendsl_runtime.python import codes

Place = Mapping[str, int]
"""For each axis the place of its label."""


@dataclass(frozen=True)
class Recipe:
    """A spec with what else its keys are made from: numerics class, digests of files, parts of user code."""

    spec: Spec
    numerics: str
    files: Mapping[str, str] = field(default_factory=dict)
    """The digest of each file that the spec names, in hexadecimal."""
    code: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """For each fingerprint of user code its parts, such as `function normalise`, and the digest of each."""
    lines: Mapping[str, str] = field(default_factory=dict, compare=False)
    """Where parts stand, `nets.py:41`; known for code as it is now, and not kept."""

    @classmethod
    def of(cls, plan: Plan) -> Recipe:
        """The recipe of a plan."""
        files = {path: digest.hex() for path, digest in plan.files.items()}
        parts: dict[str, Mapping[str, str]] = {}
        lines: dict[str, str] = {}
        for code in {code.fingerprint: code for code in codes((plan.spec.steps, plan.spec.axes))}.values():
            from gendsl.fingerprint import fingerprint

            found = fingerprint(Path(code.path), code.name).parts
            parts[code.fingerprint] = {name: part.digest for name, part in found.items()}
            lines |= {name: f"{part.path.name}:{part.line}" for name, part in found.items() if part.path}
        return cls(plan.spec, plan.numerics, files, parts, lines)

    @classmethod
    def read(cls, content: str) -> Recipe:
        """What `text` has written. Raises ValueError, KeyError or TypeError for another version's."""
        said = json.loads(content)
        return cls(Spec.model_validate(said["spec"]), said["numerics"], said["files"], said["code"])

    def text(self) -> str:
        """As JSON; equal recipes give equal texts."""
        said = {
            "spec": self.spec.model_dump(mode="json"),
            "numerics": self.numerics,
            "files": dict(self.files),
            "code": {name: dict(parts) for name, parts in self.code.items()},
        }
        return json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    def fields(self, step: str, place: Place) -> dict[str, str]:
        """Everything the node of a step at a place is made from, as people write it."""
        found = dict(self._of_step(self.spec.steps[step], place, ""))
        for part in self.numerics.split(";"):
            name, _, value = part.partition("=")
            found[f"numerics.{name}"] = value
        return found

    def _of_step(self, step: Step, place: Place, prefix: str) -> Iterator[tuple[str, str]]:
        yield f"{prefix}component", step.component
        yield from self._of_version(step, prefix)
        for name, value in step.arguments.items():
            yield from self._of_value(value, place, f"{prefix}{name}")

    def _of_version(self, made: Step | Component, prefix: str) -> Iterator[tuple[str, str]]:
        yield f"{prefix}version", str(made.version)
        code = getattr(made, "code", None)
        if code is not None:
            yield f"{prefix}code", code.fingerprint[:12]
            for part, digest in self.code.get(code.fingerprint, {}).items():
                yield f"{prefix}code.{part}", digest[:12]

    def _of_value(self, value: Value, place: Place, path: str) -> Iterator[tuple[str, str]]:
        axes = self.spec.axes
        match value:
            case Use():
                yield from self._of_step(self.spec.steps[value.step], place, f"{path}.")
            case Quantity():
                yield path, value.name
                yield from self._of_step(self.spec.steps[value.step], place, f"{path}.")
            case Split():
                yield path, value.name
                yield from self._of_value(value.dataset, place, f"{path}.dataset")
            case Moment():
                yield f"{path}.epoch", shown(substituted(value.epoch, axes, place))
                yield from self._of_value(value.run, place, path)
            case Where():
                yield from self._of_value(value.subject, {**place, **value.fixed}, path)
            case Along():
                yield f"{path}.labels", ", ".join(map(str, labels(axes[value.axis])))
                for number, one in enumerate(along(value, axes, place)):
                    yield from self._of_value(value.subject, one, f"{path}.{number}")
            case Component():
                yield path, value.name
                yield from self._of_version(value, f"{path}.")
                for name, inner in value.arguments.items():
                    yield from self._of_value(inner, place, f"{path}.{name}")
            case InputFile():
                yield path, f"{shown(value)} ({self.files.get(value.path, '')[:12]})"
            case Items() if any(map(_is_compound, value.items)):
                for number, item in enumerate(value.items):
                    yield from self._of_value(item, place, f"{path}.{number}")
            case _:
                yield from self._of_leaf(value, place, path)

    def _of_leaf(self, value: Value, place: Place, path: str) -> Iterator[tuple[str, str]]:
        """A value without parts; the value of an axis may turn out to have some."""
        axis = getattr(value, "axis", None)
        if axis is not None:
            yield from self._of_value(at(value, self.spec.axes, place), place, path)  # type: ignore[arg-type]
        else:
            yield path, shown(substituted(value, self.spec.axes, place))


def place_of(spec: Spec, step: str, index: int) -> dict[str, int]:
    """The place of a node from its flat index in C order over the step's axes."""
    place = {}
    for axis in reversed(spec.steps[step].axes):
        index, place[axis] = divmod(index, len(spec.axes[axis].values))
    return place


def difference(old: Mapping[str, str], new: Mapping[str, str]) -> tuple[Change, ...]:
    """The fields in which two nodes differ, in the order of the new one."""
    paths = [path for path in {**new, **old} if old.get(path) != new.get(path)]
    return tuple(Change(path, old.get(path, ABSENT), new.get(path, ABSENT)) for path in paths)


def _is_compound(value: Value) -> bool:
    return isinstance(value, Use | Quantity | Split | Moment | Component | InputFile | Where)
