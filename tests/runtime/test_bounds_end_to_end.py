"""Bounds and evidence in specs: trained, analysed and claimed as a user would."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gendsl_runtime.cli import main

COMPRESSION = """
experiment compression {
    title = "A network in few coordinates is bounded"
}

seeds 0..2

dataset digits = sklearn_digits(train=300, test=200, seed=seed)
dataset wrong = shuffled_labels(digits, seed=seed)
model inner = mlp(hidden=[16])
model small = subspace(inner, dimension=dimension)

let dimension = 40
sweep data in [digits, wrong]

train fit {
    model = small
    dataset = data
    optimizer = adam(lr=0.1)
    batch = 50
    budget = 8 epochs
}

analysis bound = compression_bound(fit, levels=[3], epochs=1, choices=2)
analysis honest = held_out_bound(fit)
analysis gaussian = pac_bayes_bound(fit, other=fit.at(epoch=0), samples=10, sigmas=[0.1])

claim valid: lowest(bound.bound - bound.test_error where data == digits) > 0%
claim random_labels_are_vacuous: lowest(bound.mcallester where data == wrong) > 90%
claim held_out_is_tighter: highest(honest.bound - bound.bound where data == digits) < 0%
claim gaussian_is_there: lowest(gaussian.bound) > 0%
"""

PRIOR = """
experiment prior {
    title = "A prior from one half, a bound for the other"
}

seeds 0..2

dataset half = sklearn_digits(train=600, held_back=600, test=200, seed=seed)
model inner = mlp(hidden=[16])
model small = subspace(inner, dimension=10)

train first {
    model = inner
    dataset = half
    optimizer = adam(lr=0.01)
    batch = 50
    budget = 15 epochs
}

train fit {
    model = small
    dataset = half
    optimizer = adam(lr=0.02)
    batch = 50
    budget = 2 epochs
    init = first
}

train further {
    model = inner
    dataset = half
    optimizer = adam(lr=0.001)
    budget = 2 epochs
    init = first
}

analysis coded = compression_bound(fit, other=first, on=held_back, levels=[2], epochs=0)
analysis gaussian = pac_bayes_bound(further, other=first, on=held_back, samples=50, sigmas=[0.01])

claim coded_says_something: highest(coded.bound) < 60%
claim gaussian_says_something: highest(gaussian.bound) < 50%
"""

OVERLAP = PRIOR.replace("on=held_back, levels", "on=train, levels")

EVIDENCE = """
experiment evidence {
    title = "A diffuse prior costs evidence, and next to no conditional evidence"
}

seeds 0..4

dataset points = curve(train=40, test=200, seed=seed)
model waves = basis(degree=6, family=fourier)

sweep precision in [1, 1e-4]

train fit {
    model = waves
    dataset = points
    optimizer = gd(lr=0.1)
    budget = 1 steps
}

analysis exact = linear_evidence(fit, prior_precision=precision, noise=0.2)
analysis process = gp_evidence(fit, lengthscale=0.4)

claim evidence_falls:
    mean(exact.per_example where precision == 1) - mean(exact.per_example where precision == 1e-4) > 0.5
claim conditional_hardly:
    mean(exact.conditional_per_example where precision == 1)
        - mean(exact.conditional_per_example where precision == 1e-4) < 0.3
claim a_process_does_as_well: mean(process.test_loss) < 0.2
"""


@pytest.mark.parametrize(
    ("name", "text"), [("compression", COMPRESSION), ("prior", PRIOR), ("evidence", EVIDENCE)]
)
def test_claims_are_decided(name: str, text: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    spec = tmp_path / f"{name}.gen"
    spec.write_text(text)
    assert main(["run", str(spec), "--store", str(tmp_path / "store")]) == 0, capfd.readouterr().err
    results = json.loads((tmp_path / "store" / "runs" / f"{name}-001" / "results.json").read_text())
    assert results["failures"] == []
    found = {verdict["name"]: verdict["outcome"] for verdict in results["verdicts"]}
    assert set(found.values()) == {"supported"}, found


def test_a_prior_that_saw_the_examples_is_a_failure_in_the_users_words(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    spec = tmp_path / "overlap.gen"
    spec.write_text(OVERLAP)
    assert main(["run", str(spec), "--store", str(tmp_path / "store")]) != 0
    told = "".join(capfd.readouterr())
    assert "600 of 600 examples of `train` are among those" in " ".join(told.split())
