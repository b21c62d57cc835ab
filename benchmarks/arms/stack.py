"""N seeds in the engine, in one call of `fit`.

python benchmarks/arms/stack.py engineN CASE DATA EPOCHS
"""

from __future__ import annotations

import inspect
import sys
import time

from serve import data, serve

from gendsl.spec import Choice, Component, Flag, Items, Nothing, Number
from gendsl_runtime import components
from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.length import Length
from gendsl_runtime.network import joined
from gendsl_runtime.runs import Runs
from gendsl_runtime.train import build
from gendsl_runtime.train.loop import fit
from gendsl_runtime.train.member import Member

import torch  # isort: skip  (the engine sets MKL's mode first)

BATCH = {"mlp": 64, "cnn": 64, "mnist": 64, "transformer": 128}
MODELS = {
    "mlp": ("mlp", {"hidden": [64]}),
    "mnist": ("mlp", {"hidden": [256]}),
    "cnn": ("cnn", {}),
    "transformer": ("transformer", {"width": 32}),
}


def value(given):
    """The spec value of a Python value."""
    match given:
        case None:
            return Nothing()
        case bool():
            return Flag(value=given)
        case int() | float():
            return Number(value=given)
        case str():
            return Choice(name=given)
        case list() | tuple():
            return Items(items=tuple(map(value, given)))
    return given


def component(kind: str, name: str, **given) -> Component:
    """A component with every parameter, as `check` makes them."""
    known = inspect.signature(components.load(kind, name)).parameters
    arguments = {
        key: value(given.get(key, parameter.default))
        for key, parameter in known.items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    }
    if "schedule" in arguments:
        arguments["schedule"] = component("schedule", "constant")
    return Component(kind=kind, name=name, version=1, arguments=arguments)


def engine(case: str, path: str, epochs: int, count: int):
    """`count` seeds, trained and evaluated."""
    x, y, test_x, test_y = map(torch.from_numpy, data(path))
    classes = int(y.max()) + 1
    vocabulary = {"vocabulary": classes + 1} if case == "transformer" else {}
    splits = {"train": Split(x, y), "test": Split(test_x, test_y)}
    problem = Dataset(splits, "classification", tuple(x.shape[1:]), classes, **vocabulary)
    model, given = MODELS[case]
    descent = (
        component("optimizer", "adamw", lr=1e-3)
        if case == "transformer"
        else component("optimizer", "sgd", lr=0.1, momentum=0.9)
    )
    shared = (component("model", model, **given), descent, component("loss", "cross_entropy"))
    members = [
        Member(problem, b"data", *shared, Length(epochs, "epochs"), BATCH[case], seed=seed)
        for seed in range(count)
    ]

    def run() -> float:
        state = joined([one.state for one in fit(members)])
        loss = build.loss(members, device="cpu", dtype=torch.float32)
        runs = Runs(build.network(members[0]), state, (problem,) * count, tuple(range(count)), loss)
        return float(runs.accuracy("test").mean())

    return run


def peak() -> float:
    """GFLOP/s of a large batched product in the engine's own setting."""
    left, right = torch.randn(4, 512, 512), torch.randn(4, 512, 512)
    best = min(_seconds(lambda: torch.bmm(left, right)) for _ in range(20))
    return 2 * 4 * 512**3 / best / 1e9


def _seconds(function) -> float:
    start = time.process_time()
    for _ in range(5):
        function()
    return (time.process_time() - start) / 5


if __name__ == "__main__":
    arm, case, path, epochs = sys.argv[1:]
    if arm == "peak":
        print(peak())
    else:
        serve(engine(case, path, int(epochs), int(arm.removeprefix("engine"))))
