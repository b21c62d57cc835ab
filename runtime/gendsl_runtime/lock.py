"""The lock of a run: parameters, keys, digests, fingerprints and environment, as text that diffs well.

`NAME.lock` lies in the folder of every run. Beside the spec, under the name of the spec's file, it is what
`gen run --locked` holds the next run to.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from gendsl.plan import Plan, PlanStep
from gendsl.spec import Component, Value
from gendsl.spec.shown import shown
from gendsl_runtime.changes import ABSENT, Change, leaves
from gendsl_runtime.environment import versions
from gendsl_runtime.problem import Problem
from gendsl_runtime.saved import UnknownRunError, run_folder

FORMAT = 1
SHOWN = 20
"""Differences told at most."""

Digests = Mapping[str, Sequence[str | None]]
"""The digest of each node's result, by step; None where it has none."""


def lock(plan: Plan, digests: Digests | None = None) -> dict[str, Any]:
    """What pins a run, as plain data; without `digests` what can be known before it."""
    return {
        "lock": FORMAT,
        "experiment": plan.spec.name,
        "environment": versions(),
        "numerics": dict(part.partition("=")[::2] for part in plan.numerics.split(";")),
        "parameters": {name: shown(value) for name, value in plan.spec.parameters.items()},
        "files": {path: digest.hex() for path, digest in plan.files.items()},
        "steps": {step.name: _step(step, digests[step.name] if digests else None) for step in plan},
    }


def written(said: Mapping[str, Any]) -> str:
    """A lock as JSON, one field or node a line; equal locks give equal texts."""
    rest = {name: value for name, value in said.items() if name != "steps"}
    head = json.dumps(rest, indent=1, ensure_ascii=False)[:-2]
    steps = ",\n".join(_written_step(name, step) for name, step in said["steps"].items())
    return f'{head},\n "steps": {{\n{steps}\n }}\n}}\n'


def found_lock(spec: Path, store: Path | None) -> Path:
    """The lock that holds for a spec: the one beside it, else that of its latest run.

    Raises:
        Problem: `no-lock`: there is neither.
    """
    beside = spec.with_suffix(".lock")
    if beside.is_file():
        return beside
    try:
        folder = run_folder(spec, store)
        return next(folder.glob("*.lock"))
    except (UnknownRunError, StopIteration):
        raise Problem(
            "no-lock",
            f"there is no lock for {spec}: no file {beside.name} beside it, and no run that left one",
            help=f"run it once without `--locked`, then copy NAME.lock from the run's folder to {beside}",
        ) from None


def hold(path: Path, now: Mapping[str, Any]) -> None:
    """Compares a lock with how things are now.

    Raises:
        Problem: `lock-differs`, field by field; `wrong-lock`: the file is no lock, or of another format.
    """
    try:
        then = json.loads(path.read_text(encoding="utf-8"))
        found = differences(then, now) if then["lock"] == FORMAT else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        found = None
    if found is None:
        raise Problem(
            "wrong-lock",
            f"{path} is no lock of this version of GenDSL",
            help="make it anew: run once without `--locked`",
        )
    if found:
        lines = [f"  {change.path}: {change.old} -> {change.new}" for change in found[:SHOWN]]
        more = [f"  and {len(found) - SHOWN:,} more"] if len(found) > SHOWN else []
        raise Problem(
            "lock-differs",
            "\n".join([f"this is not what {path} pins (locked -> now):", *lines, *more]),
            help="put back what differs, or run without `--locked`",
        )


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[Change]:
    """The fields in which two locks differ; keys only where nothing they are made from explains it.

    Digests are compared where both locks have them.
    """
    old, new = dict(_flat(then)), dict(_flat(now))
    found = [
        Change(path, old.get(path, ABSENT), new.get(path, ABSENT))
        for path in {**old, **new}
        if old.get(path) != new.get(path)
        and not (path.endswith(" digest") and (path not in old or path not in new))
    ]
    causes = [change for change in found if not change.path.endswith((" key", " digest"))]
    return causes or found


def pinned_seeds(path: Path) -> int:
    """How many seeds a lock has; 0 where it has none, or cannot be read."""
    try:
        steps = json.loads(path.read_text(encoding="utf-8"))["steps"].values()
        return len({node["at"]["seed"] for step in steps for node in step["nodes"] if "seed" in node["at"]})
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return 0


def pinned_digests(path: Path) -> set[str]:
    """Every digest that a lock names; none where it cannot be read."""
    try:
        steps = json.loads(path.read_text(encoding="utf-8"))["steps"].values()
        return {node["digest"] for step in steps for node in step["nodes"] if node.get("digest")}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return set()


def _step(step: PlanStep, digests: Sequence[str | None] | None) -> dict[str, Any]:
    made = step.step
    nodes = []
    for index in range(step.count):
        node: dict[str, Any] = {"at": step.labels(index), "key": step.recipe_key(index).hex()}
        if digests is not None:
            node["digest"] = digests[index]
        nodes.append(node)
    return {
        "component": made.component,
        "version": made.version,
        "arguments": dict(leaves(made.arguments, "")),
        "code": dict(_codes(made.component, made, made.arguments)),
        "nodes": nodes,
    }


def _codes(path: str, made: Any, arguments: Mapping[str, Value]) -> Iterator[tuple[str, str]]:
    """The fingerprint of each piece of user code in a step."""
    if getattr(made, "code", None) is not None:
        yield path, made.code.fingerprint
    for name, value in arguments.items():
        if isinstance(value, Component):
            yield from _codes(name, value, value.arguments)


def _written_step(name: str, step: Mapping[str, Any]) -> str:
    head = json.dumps(
        {key: value for key, value in step.items() if key != "nodes"}, indent=1, ensure_ascii=False
    )
    nodes = ",\n".join(f"    {json.dumps(node, ensure_ascii=False)}" for node in step["nodes"])
    inner = head[:-2].replace("\n", "\n  ")
    return f'  {json.dumps(name, ensure_ascii=False)}: {inner},\n   "nodes": [\n{nodes}\n   ]\n  }}'


def _flat(said: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for part in ("experiment", "lock"):
        yield part, str(said[part])
    for part in ("environment", "numerics", "parameters", "files"):
        yield from ((f"{part}.{name}", str(value)) for name, value in said[part].items())
    for name, step in said["steps"].items():
        yield f"{name}.component", step["component"]
        yield f"{name}.version", str(step["version"])
        for part in ("arguments", "code"):
            yield from ((f"{name}.{path}", str(value)) for path, value in step[part].items())
        for node in step["nodes"]:
            at = ", ".join(f"{axis}={label}" for axis, label in node["at"].items())
            yield f"{name}({at})", "present"
            yield f"{name}({at}) key", node["key"]
            if "digest" in node:
                yield f"{name}({at}) digest", str(node["digest"])
