"""A member's bits depend on its own specification alone."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gendsl_runtime import numerics
from gendsl_runtime.length import Length
from gendsl_runtime.runs import BLOCK, Runs
from gendsl_runtime.train import build
from gendsl_runtime.train.fitted import Diverged
from gendsl_runtime.train.loop import fit
from gendsl_runtime.train.stack import start
from tests.runtime.members import blobs, component, member, same

IMAGES = blobs(shape=(1, 7, 6), examples=21)
MODELS = {
    "mlp": component("model", "mlp", hidden=[5, 9], activation="gelu"),
    "ntk": component("model", "mlp", hidden=[7], activation="tanh", parametrisation="ntk"),
    "one": component("model", "mlp", hidden=[1], activation="erf"),
    "linear": component("model", "linear"),
    "deep_linear": component("model", "deep_linear", width=5),
    "cnn": component("model", "cnn", channels=[3, 5], hidden=[6], size=2, pool="average", activation="gelu"),
    "small_cnn": component("model", "cnn", channels=[4, 2], hidden=[3]),
    "resnet": component("model", "resnet", width=6, stages=2),
    "batch_norm": component("model", "resnet", width=5, stages=2, norm="batch"),
    "layer_norm": component("model", "mlp", hidden=[6], norm="layer", dropout=0.3),
    "mlp_with_all": component("model", "mlp", hidden=[6, 6], norm="batch", skip=True, dropout=0.2),
    "one_channel": component("model", "cnn", channels=[1], hidden=[3], norm="group"),
    "cnn_with_all": component("model", "cnn", channels=[4, 8], norm="batch", dropout=0.5),
    "vgg": component("model", "vgg", width=5, stages=2, depth=2, norm="group", dropout=0.3),
    "autoencoder": component("model", "autoencoder", hidden=[9], bottleneck=2, activation="sin"),
    "large": component("model", "resnet", width=17, stages=2, norm="batch"),
    "large_group": component("model", "resnet", width=16, stages=4),
    "random_features": component("model", "random_features", features=11, activation="cos"),
}
OPTIMIZERS = {
    "sgd": component("optimizer", "sgd", lr=0.2, momentum=0.9, weight_decay=1e-3, nesterov=True, clip=0.5),
    "adam": component("optimizer", "adam", lr=0.01, weight_decay=1e-3),
    "adamw": component("optimizer", "adamw", lr=0.01),
}
names = st.sampled_from(sorted(MODELS))
optimizers = st.sampled_from(sorted(OPTIMIZERS))


def several(model: str, optimizer: str, count: int, *, batch: int = 8):
    """Members that differ in everything that may differ inside a stack."""
    data = [IMAGES, blobs(shape=(1, 7, 6), examples=21, seed=1)]
    return [
        member(
            data[index % 2],
            seed=index,
            model=MODELS[model],
            optimizer=faster(OPTIMIZERS[optimizer], 1 + index / 4),
            loss=component("loss", "cross_entropy", label_smoothing=0.1 + index / 50),
            batch=batch,
            budget=Length(4 + index % 3, "steps"),
        )
        for index in range(count)
    ]


def faster(optimizer, factor: float):
    """The optimizer with a learning rate of its own."""
    rate = optimizer.arguments["lr"]
    arguments = {**optimizer.arguments, "lr": rate.model_copy(update={"value": rate.value * factor})}
    return optimizer.model_copy(update={"arguments": arguments})


@settings(max_examples=30, deadline=None)
@given(names, optimizers, st.integers(2, 7), st.sampled_from([1, 4, 8, 20]), st.data())
def test_neither_number_nor_position_nor_company_matters(model, optimizer, count, batch, data) -> None:
    members = several(model, optimizer, count, batch=batch)
    together = fit(members)
    chosen = data.draw(st.permutations(range(count)))[: data.draw(st.integers(1, count))]
    for index, again in zip(chosen, fit([members[index] for index in chosen]), strict=True):
        assert same(together[index], again)


@pytest.mark.parametrize("model", sorted(MODELS))
def test_alone_is_as_in_a_stack(model) -> None:
    members = several(model, "sgd", 7)
    for one, other in zip(fit(members), fit(members, fuse=False), strict=True):
        assert same(one, other)


@pytest.mark.parametrize("model", ["mlp", "cnn"])
def test_members_that_diverge_or_stop_leave_the_others_alone(model) -> None:
    calm = [replace(one, budget=Length(4, "epochs")) for one in several(model, "sgd", 3)]
    wild = replace(calm[0], optimizer=component("optimizer", "sgd", lr=1e30, momentum=0.9, weight_decay=1e-3))
    early = replace(calm[1], seed=9, stop=("train_loss", "<", 1e9))
    mixed = fit([calm[0], wild, calm[1], early, calm[2]])
    assert isinstance(mixed[1], Diverged)
    assert mixed[3].status == "stopped"
    for one, other in zip((mixed[0], mixed[2], mixed[4]), fit(calm), strict=True):
        assert same(one, other)


@pytest.mark.parametrize("model", sorted(MODELS))
def test_evaluation_is_the_same_in_any_company_and_in_pieces(model) -> None:
    data = blobs(shape=(1, 7, 6), examples=BLOCK + 45)
    members = [member(data, seed=seed, model=MODELS[model]) for seed in range(4)]
    stack = start(members, device="cpu", dtype=torch.float32)
    runs, alone = stack.runs(range(4)), stack.select([2]).runs([0])
    whole = runs.outputs(runs.split("train")[0])
    pieces = torch.cat([runs.outputs(inputs) for inputs, _ in runs.chunks("train")], 2)
    assert torch.equal(whole, pieces)
    assert torch.equal(whole[2:3], alone.outputs(alone.split("train")[0]))
    assert torch.equal(runs.mean_loss("train")[2:3], alone.mean_loss("train"))
    assert torch.equal(runs.repeated(3).accuracy("train")[6:7], alone.accuracy("train"))


def test_shared_data_give_the_bits_of_copies() -> None:
    members = [member(IMAGES, seed=seed) for seed in range(3)]
    network = build.network(members[0])
    loss = build.loss(members, device="cpu", dtype=torch.float32)
    state = network.init(range(3))
    copies = tuple(replace(IMAGES) for _ in range(3))
    shared, apart = (Runs(network, state, data, (0, 1, 2), loss) for data in ((IMAGES,) * 3, copies))
    assert torch.equal(shared.mean_loss("train"), apart.mean_loss("train"))


SCRIPT = """
import {first}
import hashlib, torch
from gendsl_runtime.train.loop import fit
from tests.runtime.test_exact import several
digest = hashlib.sha256()
for one in fit(several("mlp", "sgd", {count})[-1:] if {alone} else several("mlp", "sgd", {count})):
    values = b"".join(value.numpy().tobytes() for value in one.state.parameters.values())
print(hashlib.sha256(values).hexdigest())
"""


def test_another_process_gets_the_same_bits() -> None:
    """Whatever is imported first, whatever threads the environment asks for, alone or in a stack."""
    found = set()
    for first, threads, alone in (("torch", "2", True), ("gendsl_runtime", "1", False)):
        environment = {
            **os.environ,
            "OMP_NUM_THREADS": threads,
            "PYTHONPATH": os.pathsep.join(["runtime", "."]),
        }
        environment.pop("MKL_CBWR", None)
        script = SCRIPT.format(first=first, count=3, alone=alone)
        done = subprocess.run(
            [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
        )
        found.add(done.stdout)
    assert len(found) == 1


UNSETTLED = """
import torch
torch.ones(3, 3) @ torch.ones(3, 3)
from gendsl_runtime.numerics import mode
from gendsl_runtime.problem import Problem
from gendsl_runtime.train.loop import fit
try:
    fit([])
    print(mode())
except Problem as problem:
    print(problem.code)
"""


def test_a_process_that_is_too_late_is_told() -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(["runtime", "."])}
    environment.pop("MKL_CBWR", None)
    done = subprocess.run(
        [sys.executable, "-c", UNSETTLED], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() in ("numerics-unsettled", "absent")


def test_mkl_says_that_it_is_strict() -> None:
    assert numerics.mode() in ("strict", "absent")
    assert torch.get_num_threads() == 1


def test_a_numerics_class_names_what_changes_bits() -> None:
    assert numerics.numerics() == numerics.numerics("cpu", "float32")
    assert len({numerics.numerics(d, t) for d in ("cpu", "cuda") for t in ("float32", "float64")}) == 4
    assert numerics.numerics("cuda:0") == numerics.numerics("cuda:1")
