"""What is known about one `gen run`: the provenance that reports, `gen show` and `gendsl.load` read."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Failure:
    """One node that has no result: its step, its coordinate (axis to label) and why, in the user's words."""

    step: str
    coordinate: dict[str, str | int | float]
    reason: str
    code: str = ""
    """The diagnostic code: `diverged`, `bad-data` ..."""
    help: str | None = None
    began: str = ""
    """The step in which it went wrong: this one, or one that this one needs."""


@dataclass(frozen=True)
class StepRecord:
    """How one step went: nodes in all, computed now, taken from the store, failed; CPU seconds spent now."""

    name: str
    kind: str
    component: str
    total: int
    computed: int
    cached: int
    failed: int
    seconds: float
    inputs: tuple[str, ...] = ()
    """Names of the steps it uses: the edges of the declaration DAG."""
    digest: str = ""
    """SHA-256 over the content digests of all its nodes, in order."""


@dataclass(frozen=True)
class RunRecord:
    """One run of one spec."""

    run: str
    """The run's own name, `quickstart-001`."""
    started: str
    """ISO 8601, UTC."""
    seconds: float
    command: tuple[str, ...]
    device: str
    versions: dict[str, str]
    machine: dict[str, str]
    steps: tuple[StepRecord, ...] = ()
    failures: tuple[Failure, ...] = field(default=())
