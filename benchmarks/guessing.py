"""Guesses a second of CPU time, beside the loops one would write, one thread.

    python benchmarks/guessing.py

Random networks with one hidden layer on 16 digits of 14 x 14 pixels: the engine's search, drawing included, with a
`stop` that none of them meets; the same population as batched products written by hand (`torch.baddbmm`), 1024
networks at once; `torch.func.vmap` over `functional_call`; and one `torch.nn` module after another. Each draws its own
uniform weights and counts the networks that have all digits right.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"

from collections.abc import Callable
from statistics import median
from time import process_time

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from gendsl.spec import Choice, Component, Flag, Items, Nothing, Number
from gendsl_runtime.data import Dataset
from gendsl_runtime.datasets.few_classes import few_classes
from gendsl_runtime.datasets.mnist_5k import mnist_5k
from gendsl_runtime.datasets.standardised import standardised
from gendsl_runtime.length import Length
from gendsl_runtime.train.loop import fit
from gendsl_runtime.train.member import Member

HIDDEN, TOGETHER, REPEATS = 8, 1024, 5


def member(data: Dataset, guesses: int) -> Member:
    """A training whose `stop` no network meets."""
    mlp = {
        "hidden": Items(items=(Number(value=HIDDEN),)),
        "activation": Choice(name="relu"),
        "bias": Flag(value=True),
        "norm": Choice(name="none"),
        "skip": Flag(value=False),
        "dropout": Number(value=0.0),
        "scale": Number(value=1.0),
        "parametrisation": Choice(name="standard"),
        "base_width": Number(value=64),
    }
    guess = {"low": Number(value=-1.0), "high": Number(value=1.0), "population": Number(value=guesses)}
    return Member(
        data=data,
        data_digest=b"",
        model=Component(kind="model", name="mlp", version=1, arguments=mlp),
        optimizer=Component(kind="optimizer", name="guess", version=1, arguments=guess),
        loss=Component(
            kind="loss", name="cross_entropy", version=1, arguments={"label_smoothing": Nothing()}
        ),
        budget=Length(1, "epochs"),
        stop=(("train_error", "==", 0.0), ("train_loss", "<", -1.0)),
    )


def uniform(*shape: int) -> Tensor:
    return torch.rand(*shape) * 2 - 1


def by_products(inputs: Tensor, labels: Tensor, guesses: int) -> int:
    found, side = 0, inputs.shape[1]
    columns = inputs.T.expand(TOGETHER, -1, -1)
    for _ in range(guesses // TOGETHER):
        first, last = uniform(TOGETHER, HIDDEN, side), uniform(TOGETHER, 2, HIDDEN)
        hidden = torch.baddbmm(uniform(TOGETHER, HIDDEN, 1), first, columns).relu_()
        outputs = torch.baddbmm(uniform(TOGETHER, 2, 1), last, hidden)
        found += int((outputs.argmax(1) == labels).all(1).sum())
    return found


def by_vmap(inputs: Tensor, labels: Tensor, guesses: int) -> int:
    module = nn.Sequential(nn.Linear(inputs.shape[1], HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 2))
    shapes = {name: value.shape for name, value in module.named_parameters()}
    run = vmap(lambda values: functional_call(module, values, (inputs,)))
    found = 0
    for _ in range(guesses // TOGETHER):
        outputs = run({name: uniform(TOGETHER, *shape) for name, shape in shapes.items()})
        found += int((outputs.argmax(2) == labels).all(1).sum())
    return found


def by_modules(inputs: Tensor, labels: Tensor, guesses: int) -> int:
    module = nn.Sequential(nn.Linear(inputs.shape[1], HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 2))
    found = 0
    for _ in range(guesses):
        for value in module.parameters():
            value.uniform_(-1, 1)
        found += int((module(inputs).argmax(1) == labels).all())
    return found


def seconds(call: Callable[[], object]) -> float:
    """CPU seconds, the median of a few calls after one that does not count."""
    call()
    found = []
    for _ in range(REPEATS):
        begun = process_time()
        call()
        found.append(process_time() - begun)
    return median(found)


@torch.no_grad()
def main() -> None:
    data = few_classes(standardised(mnist_5k(side=14), by="channel"), train=16)
    split = data.split("train")
    inputs, labels = split.inputs.flatten(1), split.targets
    many, few = 32 * TOGETHER, TOGETHER
    one = member(data, many)
    rows = {
        "the engine's search": (many, seconds(lambda: fit([one]))),
        "products by hand": (many, seconds(lambda: by_products(inputs, labels, many))),
        "vmap": (many, seconds(lambda: by_vmap(inputs, labels, many))),
        "modules one by one": (few, seconds(lambda: by_modules(inputs, labels, few))),
    }
    fastest = rows["products by hand"][0] / rows["products by hand"][1]
    for name, (guesses, taken) in rows.items():
        speed = guesses / taken
        print(f"{name:22} {speed:10,.0f} guesses/s   {speed / fastest:6.2f} of the products by hand")


if __name__ == "__main__":
    main()
