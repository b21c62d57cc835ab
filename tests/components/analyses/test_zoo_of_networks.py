"""Every analysis on networks and tasks of every kind: it measures them or says in words why not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.execute.perform import payloads
from gendsl_runtime.losses.cross_entropy import cross_entropy
from gendsl_runtime.losses.mse import mse
from gendsl_runtime.models.basis import basis
from gendsl_runtime.models.cnn import cnn
from gendsl_runtime.models.deep_thinking import deep_thinking
from gendsl_runtime.models.linear import linear
from gendsl_runtime.models.mlp import mlp
from gendsl_runtime.models.random_features import random_features
from gendsl_runtime.models.resnet import resnet
from gendsl_runtime.models.rnn import rnn
from gendsl_runtime.models.subspace import subspace
from gendsl_runtime.models.transformer import transformer
from gendsl_runtime.network import Network
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Runs
from tests.components.test_every_component import CATALOGUE, DRAWN, analysed, facts_of, names

SLOW = {
    "hessian_spectrum",
    "hessian_blocks",
    "effective_dimension",
    "top_overlap",
    "gradient_share",
    "perturbation_radius",
    "local_entropy",
    "trajectory",
}
"""Of the same products of curvature as others, many times."""
VECTOR, IMAGE, TOKENS, PLACES = (4,), (1, 6, 6), (3,), (5, 2)


def spaced(shape: tuple[int, ...], outputs: int) -> Network:
    return subspace(shape, outputs, lambda *of: cnn(*of, channels=[2], hidden=[3]), dimension=4)


ZOO: dict[str, tuple[tuple[int, ...], Callable[[tuple[int, ...], int], Network]]] = {
    "mlp": (VECTOR, lambda *of: mlp(*of, hidden=[5, 4], norm="batch", dropout=0.2)),
    "quadratic": (VECTOR, lambda *of: mlp(*of, hidden=[5], activation="quadratic")),
    "linear": (VECTOR, linear),
    "basis": (VECTOR, basis),
    "random_features": (VECTOR, lambda *of: random_features(*of, features=6)),
    "cnn": (IMAGE, lambda *of: cnn(*of, channels=[2], hidden=[3], pool="average", norm="batch")),
    "resnet": (IMAGE, lambda *of: resnet(*of, width=2, stages=2)),
    "subspace": (IMAGE, spaced),
    "rnn": (PLACES, lambda *of: rnn(*of, hidden=3)),
    "transformer": (TOKENS, lambda *of: transformer(*of, 5, layers=1, heads=2, width=4)),
    "deep_thinking": (PLACES, lambda *of: deep_thinking(*of, width=3, iterations=3)),
}
CASES = [
    (name, task)
    for name in ZOO
    for task in ("classification", "regression", "labelling")
    if (task == "labelling") == (name == "deep_thinking")
    and (task != "regression" or name not in ("transformer", "resnet", "cnn"))
]


def data(shape: tuple[int, ...], task: str, *, has_tokens: bool) -> Dataset:
    chance = np.random.default_rng(0)

    def split(count: int) -> Split:
        inputs = (
            chance.integers(0, 5, (count, *shape)) if has_tokens else chance.standard_normal((count, *shape))
        )
        labels = np.arange(count * (5 if task == "labelling" else 1)) % 3
        targets = labels.reshape(count, 5) if task == "labelling" else labels
        wanted = (
            torch.from_numpy(targets).float()[:, None] if task == "regression" else torch.from_numpy(targets)
        )
        return Split(torch.from_numpy(inputs if has_tokens else inputs.astype(np.float32)), wanted)

    outputs = 1 if task == "regression" else 3
    splits = {"train": split(9), "test": split(6)}
    return Dataset(splits, task, shape, outputs, vocabulary=5 if has_tokens else None)


def runs_of(name: str, task: str) -> Runs:
    shape, build = ZOO[name]
    own = data(shape, task, has_tokens=shape == TOKENS)
    network = build(shape, own.outputs)
    loss = mse if task == "regression" else lambda o, t: cross_entropy(o, t, label_smoothing=None)
    return Runs(network, network.init([3]), (own,), (3,), loss, ({},), (6,), (False,))


@pytest.mark.parametrize(("name", "task"), CASES)
def test_an_analysis_measures_a_network_or_says_why_not(name: str, task: str) -> None:
    runs = runs_of(name, task)
    facts = {task} | (set() if task == "regression" else {"labels"})
    facts |= set() if runs.data[0].vocabulary else {"numbers"}
    measured = 0
    for analysis in sorted(set(names("analysis")) - SLOW - DRAWN):
        needs = facts_of(analysis)
        if not needs <= facts:
            continue
        try:
            found = analysed(analysis, runs)
        except Problem:
            continue
        gives = tuple(CATALOGUE.components["analysis", analysis].gives)
        payloads(analysis, found, gives=gives, members=1)
        measured += 1
    assert measured > 0
