"""Every measure of the suite, computed once more from its definition with numpy."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from gendsl_runtime.analyses.complexity.path_norm import path_norm
from gendsl_runtime.analyses.sharpness.pac_bayes_sharpness import pac_bayes_sharpness
from gendsl_runtime.analyses.suite.generalization_measures import generalization_measures
from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.losses.cross_entropy import cross_entropy
from gendsl_runtime.models.cnn import cnn
from gendsl_runtime.runs import Runs


@pytest.fixture
def pair(make_runs) -> tuple[Runs, Runs]:
    """Networks that are nearly right on their own labels, and their start."""
    runs = make_runs(hidden=[6, 5], train=40, dtype=torch.float64, activation="relu", scale=3.0)
    start = replace(runs, state=runs.network.init((10, 11, 12)).to("cpu", torch.float64))
    data = []
    for member, own in enumerate(runs.data):
        labels = runs.outputs(own.splits["train"].inputs[None].expand(3, -1, -1))[member].argmax(0)
        data.append(own.with_splits(train=Split(own.splits["train"].inputs, labels)))
    history = {"epoch": torch.arange(1, 5), "train_loss": torch.tensor([2.0, 0.3, 0.09, 0.01])}
    full = replace(runs, data=tuple(data), history=(history,) * 3, steps=(20,) * 3, stopped=(False,) * 3)
    return full, replace(start, data=tuple(data))


def named(found, member: int) -> dict[str, float]:
    return dict(zip(found["measure"].tolist(), found["value"][member].tolist(), strict=True))


def test_each_measure_from_its_definition(pair) -> None:
    runs, start = pair
    found = generalization_measures(runs, other=start, samples=8)
    plain, relative = (
        pac_bayes_sharpness(runs, scale=s, samples=8, tolerance=0.05) for s in ("plain", "magnitude")
    )
    for member in range(3):
        value = named(found, member)
        weights = {n: t[member].numpy() for n, t in runs.state.parameters.items()}
        first = {n: t[member].numpy() for n, t in start.state.parameters.items()}
        matrices = [n for n in weights if n.endswith("weight")]
        spec = np.array([np.linalg.norm(weights[n], 2) for n in matrices])
        fro = np.array([np.linalg.norm(weights[n]) for n in matrices])
        away = np.array([np.linalg.norm(weights[n] - first[n]) for n in matrices])
        away_spec = np.array([np.linalg.norm(weights[n] - first[n], 2) for n in matrices])
        w = np.concatenate([t.ravel() for t in weights.values()])
        d = np.concatenate([(weights[n] - first[n]).ravel() for n in weights])
        labels = runs.split("train")[1][member].numpy()
        outputs = runs.outputs(runs.split("train")[0])[member].numpy().T
        lead = outputs[np.arange(40), labels]
        rest = np.where(np.eye(3, dtype=bool)[labels], -np.inf, outputs).max(1)
        gamma = np.quantile(lead - rest, 0.1)
        p = np.exp(outputs) / np.exp(outputs).sum(1, keepdims=True)
        paths = np.ones(3)
        for n in matrices:
            paths = np.square(weights[n]) @ paths
        sigma, magnitude, m = plain["sigma"][member], relative["sigma"][member], 40
        product, fro_product = np.prod(spec**2), np.prod(fro**2)

        def by_magnitude(square: float, d=d, magnitude=magnitude, m=m) -> float:
            top = 1e-6 + (magnitude**2 + 1) * square / len(d)
            return 0.25 * np.log(top / (1e-6 + magnitude**2 * d**2)).sum() + math.log(m / magnitude) + 10

        expected = {
            "parameters": len(w),
            "inverse_margin": gamma**-2,
            "log_spectral_product": np.log(product),
            "log_spectral_product_margin": np.log(product / gamma**2),
            "log_spectral_sum": np.log(3 * product ** (1 / 3)),
            "log_spectral_sum_margin": np.log(3 * (product / gamma**2) ** (1 / 3)),
            "log_spectral_original": np.log(product * np.sum(fro**2 / spec**2) / gamma**2),
            "log_spectral_distance": np.log(product * np.sum(away**2 / spec**2) / gamma**2),
            "frobenius_over_spectral": np.sum(fro**2 / spec**2),
            "distance_over_spectral": np.sum(away**2 / spec**2),
            "log_frobenius_product": np.log(fro_product),
            "log_frobenius_product_margin": np.log(fro_product / gamma**2),
            "log_frobenius_sum": np.log(3 * fro_product ** (1 / 3)),
            "log_frobenius_sum_margin": np.log(3 * (fro_product / gamma**2) ** (1 / 3)),
            "parameter_norm": np.sum(fro**2),
            "frobenius_distance": np.sum(away**2),
            "spectral_distance": np.sum(away_spec**2),
            "path_norm": paths.sum(),
            "path_norm_margin": paths.sum() / gamma**2,
            "flatness": sigma**-2,
            "flatness_magnitude": magnitude**-2,
            "pac_bayes_start": (d @ d) / (4 * sigma**2) + math.log(m / sigma) + 10,
            "pac_bayes_origin": (w @ w) / (4 * sigma**2) + math.log(m / sigma) + 10,
            "pac_bayes_magnitude_start": by_magnitude(d @ d),
            "pac_bayes_magnitude_origin": by_magnitude(w @ w),
            "cross_entropy": -np.log(p[np.arange(40), labels]).mean(),
            "negative_entropy": (p * np.log(p)).sum(1).mean(),
            "steps_to_loss": 15,
            "steps": 20,
        }
        assert value.keys() - expected.keys() == {"hessian_trace"}
        for name, wanted in expected.items():
            assert value[name] == pytest.approx(wanted, rel=1e-9), name
        for name, scaled in zip(found["measure"], found["scaled"][member], strict=True):
            whole = math.exp(value[name]) if name.startswith("log_") else value[name]
            if whole >= 0:
                root = math.sqrt(whole / m)
                assert scaled == pytest.approx(math.log(root) if name.startswith("log_") else root), name
    np.testing.assert_allclose(
        np.sqrt([named(found, i)["path_norm"] for i in range(3)]), path_norm(runs)["path_norm"]
    )


def test_without_a_margin_or_a_history(pair) -> None:
    runs, start = pair
    flipped = tuple(
        own.with_splits(train=Split(own.splits["train"].inputs, (own.splits["train"].targets + 1) % 3))
        for own in runs.data
    )
    bare = replace(runs, data=flipped, history=(), steps=())
    value = named(generalization_measures(bare, other=start, samples=4), 0)
    missing = {name for name, number in value.items() if math.isnan(number)}
    assert missing == {
        *(name for name in value if name.endswith("_margin")),
        "inverse_margin",
        "log_spectral_original",
        "log_spectral_distance",
        "steps",
        "steps_to_loss",
    }


def test_a_member_alone(pair) -> None:
    runs, start = pair
    whole = generalization_measures(runs, other=start, samples=4)
    alone = generalization_measures(runs.select([1]), other=start.select([1]), samples=4)
    np.testing.assert_array_equal(whole["value"][1], alone["value"][0])


def test_paths_through_convolutions_are_counted() -> None:
    """Of a linear network of positive weights the paths sum to its outputs for ones."""
    network = cnn((1, 6, 6), 2, channels=[2], pool="average")
    state = network.init((0,)).to("cpu", torch.float64)
    chance = np.random.default_rng(0)
    split = Split(
        torch.from_numpy(chance.random((20, 1, 6, 6), dtype=np.float32)), torch.zeros(20, dtype=torch.int64)
    )
    data = Dataset({"train": split, "test": split}, "classification", (1, 6, 6), 2)
    runs = Runs(network, state, (data,), (0,), partial(cross_entropy, label_smoothing=None))
    value = named(generalization_measures(runs, other=runs, samples=4), 0)
    squared = {n: t.square() if n.endswith("weight") else t * 0 for n, t in state.parameters.items()}
    ones = torch.ones(1, 1, 1, 6, 6, dtype=torch.float64)
    expected = float(network.apply(squared, {}, ones, training=False)[0].sum())
    assert value["path_norm"] == pytest.approx(expected)
    assert value["frobenius_distance"] == 0.0
    dropped = replace(runs, network=cnn((1, 6, 6), 2, channels=[2], pool="average", dropout=0.3))
    assert (
        named(generalization_measures(dropped, other=dropped, samples=4), 0)["path_norm"]
        == value["path_norm"]
    )


def test_norms_of_convolutions_by_either_convention() -> None:
    network = cnn((1, 6, 6), 2, channels=[2], hidden=[3])
    state = network.init((0,)).to("cpu", torch.float64)
    split = Split(torch.rand(20, 1, 6, 6), torch.zeros(20, dtype=torch.int64))
    data = Dataset({"train": split, "test": split}, "classification", (1, 6, 6), 2)
    runs = Runs(network, state, (data,), (0,), partial(cross_entropy, label_smoothing=None))
    by = {
        kind: named(generalization_measures(runs, other=runs, samples=2, convolutions=kind), 0)
        for kind in ("mixed", "operators", "kernels")
    }
    kernels = [t[0].flatten(1) for n, t in state.parameters.items() if n.endswith("weight")]
    frobenius = sum(float(kernel.square().sum()) for kernel in kernels)
    spectral = 2 * sum(math.log(float(torch.linalg.matrix_norm(kernel, 2))) for kernel in kernels)
    assert by["kernels"]["log_spectral_product"] == pytest.approx(spectral)
    assert by["operators"]["log_spectral_product"] == by["mixed"]["log_spectral_product"] > spectral
    assert by["kernels"]["parameter_norm"] == by["mixed"]["parameter_norm"] == pytest.approx(frobenius)
    assert by["operators"]["parameter_norm"] > 5 * frobenius
