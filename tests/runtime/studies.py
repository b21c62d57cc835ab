"""The experiment of BASE as a spec run by the engine, and member by member in Python and plain torch."""

from __future__ import annotations

from pathlib import Path

import torch
from torch.nn import functional

from gendsl_runtime import components
from gendsl_runtime.data import Dataset
from gendsl_runtime.length import Length
from gendsl_runtime.network import State
from gendsl_runtime.run import RunOptions, Watch, run
from gendsl_runtime.train.fitted import Fitted
from gendsl_runtime.train.loop import fit
from tests.runtime.members import component, member

BASE = """
seeds 0..1
dataset digits = sklearn_digits(train=60, test=40)
dataset moons = two_moons(train=60, test=40)
train fit {
    model = mlp(hidden=[4])
    dataset = digits
    optimizer = sgd(lr=0.5)
    batch = 20
    budget = 3 epochs
}
"""


class Counter(Watch):
    def __init__(self) -> None:
        self.computed: list[str] = []

    def done(self, task, outcomes) -> None:
        self.computed += [task.kind] * len(outcomes)


class Study:
    """Runs specs in one folder with one store."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.computed = folder, []

    def run(self, text: str, *, name: str = "study", **options):
        path = self.folder / f"{name}.gen"
        path.write_text(text)
        counter = Counter()
        found = run(path, RunOptions(store=self.folder / "store", **options), counter)
        self.computed = counter.computed
        assert found.results.failures == ()
        return found.results


def data(name: str, **given) -> Dataset:
    return components.load("dataset", name)(**given)


def digits(**given) -> Dataset:
    return data("sklearn_digits", **{"train": 60, "test": 40, **given})


def sgd(**given):
    return component("optimizer", "sgd", **given)


def mlp(*hidden: int, **given):
    return component("model", "mlp", hidden=list(hidden), **given)


def by_hand(of: Dataset, *, seed: int, **fields) -> Fitted:
    """The `fit` of BASE with other fields, trained alone."""
    defaults = {"model": mlp(4), "optimizer": sgd(lr=0.5), "batch": 20, "budget": Length(3, "epochs")}
    fitted = fit([member(of, seed=seed, **{**defaults, **fields})])[0]
    assert isinstance(fitted, Fitted)
    return fitted


def outputs(state: State, inputs: torch.Tensor, activation=torch.relu) -> torch.Tensor:
    """An `mlp` in plain torch: parameters `(1, out, in)` and `(1, out)` in the order of the layers."""
    tensors = [tensor[0] for tensor in state.parameters.values()]
    values = inputs.flatten(1)
    for place in range(0, len(tensors), 2):
        values = functional.linear(values, tensors[place], tensors[place + 1].flatten())
        if place + 2 < len(tensors):
            values = activation(values)
    return values


def error(fitted: Fitted | State, of: Dataset, on: str = "test", activation=torch.relu) -> float:
    split = of.split(on)
    state = fitted.state if isinstance(fitted, Fitted) else fitted
    guess = outputs(state, split.inputs, activation).argmax(1)
    return float((guess != split.targets).double().mean())


def errors(of: Dataset, **fields) -> list[float]:
    return [error(by_hand(of, seed=seed, **fields), of) for seed in (0, 1)]


def verdicts(results) -> dict[str, float]:
    return {verdict.name: verdict.estimate for verdict in results.verdicts}
