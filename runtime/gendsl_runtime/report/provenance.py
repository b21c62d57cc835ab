"""Where the results come from: what is needed to get them again."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from gendsl_runtime.record import StepRecord
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
        f"{axis.name}: {_ends(axis.labels)}" for axis in results.spec.axes.values() if axis.kind == "seeds"
    ]
    if record is None:
        return Provenance((("Seeds", "; ".join(seeds) or "none"),), "", ())
    totals = {
        word: sum(getattr(step, word) for step in record.steps)
        for word in ("total", "computed", "cached", "failed")
    }
    busy = sum(step.seconds for step in record.steps)
    facts = (
        ("Run", record.run),
        ("Started", record.started),
        ("Took", f"{duration(record.seconds)}, {duration(busy)} of it computing"),
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
    return Provenance(facts, shlex.join(record.command), record.steps)


def _ends(labels: tuple[object, ...]) -> str:
    if len(labels) > 4:
        return f"{labels[0]} … {labels[-1]} ({len(labels)})"
    return ", ".join(map(str, labels))
