"""Where the results come from: what is needed to get them again."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from gendsl_runtime.record import StepRecord
from gendsl_runtime.report.methods import methods
from gendsl_runtime.report.words import duration
from gendsl_runtime.results import Results


@dataclass(frozen=True)
class Provenance:
    """Facts as pairs, and the steps with their digests."""

    facts: tuple[tuple[str, str], ...]
    command: str
    steps: tuple[StepRecord, ...]


def provenance(results: Results) -> Provenance:
    """What is recorded of the run; only the seeds where nothing is."""
    record = results.record
    seeds = [
        f"{axis.name}: {_ends(axis.labels)}"
        + (f", until every claim is decided, at most {axis.looks[-1]:,}" if axis.looks else "")
        for axis in results.spec.axes.values()
        if axis.kind == "seeds"
    ]
    if record is None:
        return Provenance((("Seeds", "; ".join(seeds) or "none"),), "", ())
    totals = {
        word: sum(getattr(step, word) for step in record.steps)
        for word in ("total", "computed", "cached", "failed")
    }
    facts: tuple[tuple[str, str], ...] = (
        ("Run", record.run),
        ("Started", record.started),
        ("Took", f"{duration(record.seconds)} from start to end"),
        ("Computation", _work(record.steps)),
        (
            "Results",
            f"{totals['total']:,} in all: {totals['computed']:,} computed now, "
            f"{totals['cached']:,} from the store, {totals['failed']:,} failed",
        ),
        ("Seeds", "; ".join(seeds) or "none"),
        ("Device", record.device),
        ("Machine", ", ".join(f"{key} {value}" for key, value in record.machine.items())),
        ("Versions", ", ".join(f"{key} {value}" for key, value in record.versions.items())),
        ("Specification", ", preset ".join(filter(None, (results.spec.path, results.spec.preset)))),
    )
    codes = _codes(results)
    if codes:
        facts = (*facts, ("Own code", codes))
    return Provenance(facts, shlex.join(record.command), record.steps)


def _codes(results: Results) -> str:
    """Each piece of the user's own code: its name, its file and its fingerprint."""
    used = (item for _, items in methods(results.spec).sections for item in items)
    return ", ".join(
        f"{item.name} in {Path(item.code.path).name} ({item.code.fingerprint[:12]})"
        for item in used
        if item.code is not None
    )


def _work(steps: tuple[StepRecord, ...]) -> str:
    """What energy goes by: processor time, and on which kind of step it was spent."""
    kinds: dict[str, float] = {}
    for step in steps:
        kinds[step.kind] = kinds.get(step.kind, 0.0) + step.seconds
    whole = sum(kinds.values())
    shares = ", ".join(
        f"{kind} {100 * spent / whole:.0f}%" for kind, spent in kinds.items() if whole and spent
    )
    again = "" if any(step.computed for step in steps) else "; everything came from the store"
    return f"{duration(whole)} of processor time{f' ({shares})' if shares else ''}{again}"


def _ends(labels: tuple[object, ...]) -> str:
    if len(labels) > 4:
        return f"{labels[0]} … {labels[-1]} ({len(labels)})"
    return ", ".join(map(str, labels))
