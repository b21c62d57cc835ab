"""Planning time and memory at 1,000, 100,000 and 1,000,000 members, beside one object and one hash a node.

`python benchmarks/plan.py`. Every case runs in a process of its own, so that its peak memory is its own. The
baseline is the plain way to do it: each node's parameters as a pydantic object, dumped as sorted JSON and
hashed together with the keys of its inputs, kept in a dict by coordinate, at 10,000 members and
compared by time a member.
"""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
from hashlib import sha256
from itertools import product
from time import perf_counter, process_time

SIZES = {1_000: (10, 10, 10), 10_000: (10, 20, 50), 100_000: (50, 40, 50), 1_000_000: (200, 50, 100)}
REPEATS = 3


def experiment(members: int):
    """A sweep over learning rate and width with seeds: one dataset, a training and an analysis a member."""
    from gendsl.spec import Axis, Choice, Component, Coordinate, Items, Number, Spec, Step, Use

    names = ("lr", "width", "seed")
    axes = {
        name: Axis(
            name=name,
            kind="seeds" if name == "seed" else "sweep",
            values=tuple(Number(value=at + 1) for at in range(size)),
            labels=tuple(range(1, size + 1)),
        )
        for name, size in zip(names, SIZES[members])
    }
    model = Component(
        kind="model",
        name="mlp",
        version=1,
        arguments={"hidden": Items(items=(Coordinate(axis="width"),)), "activation": Choice(name="relu")},
    )
    sgd = Component(
        kind="optimizer",
        name="sgd",
        version=1,
        arguments={"lr": Coordinate(axis="lr"), "momentum": Number(value=0.9)},
    )
    fit = {
        "model": model,
        "dataset": Use(step="digits"),
        "optimizer": sgd,
        "batch": Number(value=50),
        "budget": Number(value=60, unit="epochs"),
        "seed": Coordinate(axis="seed"),
    }
    steps = [
        Step(name="digits", kind="dataset", component="sklearn_digits", version=1, arguments={}),
        Step(name="fit", kind="train", component="train", version=1, arguments=fit, axes=names),
        Step(
            name="gap",
            kind="analysis",
            component="generalization_gap",
            version=1,
            arguments={"run": Use(step="fit")},
            axes=names,
        ),
    ]
    return Spec(
        name="x", title="x", path="x.gen", text="", axes=axes, steps={step.name: step for step in steps}
    )


def planned(members: int) -> None:
    """GenDSL's plan."""
    from gendsl.plan import plan

    made = plan(experiment(members), numerics="cpu", max_runs=members, file_digest=lambda path: b"")
    assert made.trainings == members


def plain(members: int) -> None:
    """The baseline: an object, a JSON text and a hash for each node."""
    from gendsl.spec import Component
    from gendsl.spec.substitute import substituted

    spec = experiment(members)
    keys: dict[tuple[str, tuple[int, ...]], str] = {}
    for name in ("digits", "fit", "gap"):
        step = spec.steps[name]
        source = {"fit": "digits", "gap": "fit"}.get(name)
        for at in product(*(range(len(spec.axes[axis].values)) for axis in step.axes)):
            place = dict(zip(step.axes, at))
            arguments = {key: substituted(value, spec.axes, place) for key, value in step.arguments.items()}
            node = Component(kind=step.kind, name=step.component, version=1, arguments=arguments)
            inputs = [keys[source, at if source == "fit" else ()]] if source else []
            text = json.dumps([node.model_dump(), inputs], sort_keys=True)
            keys[name, at] = sha256(text.encode()).hexdigest()


def measure(way: str, members: int) -> tuple[float, float]:
    """Seconds of CPU, and peak memory in MB, of one case in a process of its own."""
    command = [sys.executable, __file__, way, str(members)]
    answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    seconds, memory = json.loads(answer)
    return seconds, memory


def case(way: str, members: int) -> None:
    """Runs one case here and prints its cost."""
    import gendsl.plan  # noqa: F401, loading is no part of planning

    start, wall = process_time(), perf_counter()
    {"planned": planned, "plain": plain}[way](members)
    seconds = max(process_time() - start, perf_counter() - wall)
    print(json.dumps([seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))


def main() -> None:
    cases = [("planned", 1_000), ("planned", 100_000), ("planned", 1_000_000), ("plain", 10_000)]
    results: dict[tuple[str, int], list[tuple[float, float]]] = {one: [] for one in cases}
    for _ in range(REPEATS):
        for one in cases:
            results[one].append(measure(*one))
    print(f"{'':<22}{'members':>10}{'seconds':>10}{'peak MB':>10}{'us a member':>14}")
    cost = {}
    for (way, members), runs in results.items():
        seconds = statistics.median(seconds for seconds, _ in runs)
        memory = max(memory for _, memory in runs)
        cost[way, members] = seconds / members
        name = "gendsl.plan" if way == "planned" else "object and JSON a node"
        print(f"{name:<22}{members:>10,}{seconds:>10.3f}{memory:>10.0f}{seconds / members * 1e6:>14.2f}")
    ratio = cost["plain", 10_000] / cost["planned", 1_000_000]
    print(f"a member costs {ratio:.0f} times less than with an object and a JSON text for each node")


if __name__ == "__main__":
    if len(sys.argv) == 3:
        case(sys.argv[1], int(sys.argv[2]))
    else:
        main()
