"""Whole specs, run with the engine, against the same experiment written by hand in Python.

Every test carries out a small file and compares numbers of its results with members trained one by one and
measured with plain torch.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

import gendsl
from gendsl_runtime.archive import load
from gendsl_runtime.length import Length
from gendsl_runtime.report.figure import figure
from tests.runtime.members import component
from tests.runtime.studies import (
    BASE,
    Study,
    by_hand,
    data,
    digits,
    error,
    errors,
    mlp,
    outputs,
    sgd,
    verdicts,
)


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return Study(tmp_path)


def test_sweeps_over_choices_components_tuples_shares_datasets_and_models(study: Study) -> None:
    results = study.run(
        BASE
        + """
        sweep act in [relu, tanh]
        sweep opt in [sgd(lr=0.5), adam(lr=0.05)]
        sweep (lr, batch) in [(0.1, 20), (0.8, 30)]
        sweep share in [0%, 25%]
        sweep width in 2..6 by 4
        sweep set in [digits, moons]
        sweep net in [mlp(hidden=[3]), linear]
        sweep length in [1 epoch, 2 epochs]
        train acts extends fit { model.activation = act }
        train opts extends fit { optimizer = opt }
        train tuples extends fit { optimizer.lr = lr batch = batch }
        train shares extends fit { model.hidden = [width] dataset = with_label_noise(digits, share=share) }
        train sets extends fit { dataset = set }
        train nets extends fit { model = net }
        train lengths extends fit { budget = length }
        analysis a = generalization_gap(acts)
        analysis o = generalization_gap(opts)
        analysis t = generalization_gap(tuples)
        analysis s = generalization_gap(shares)
        analysis d = generalization_gap(sets)
        analysis n = generalization_gap(nets)
        analysis l = generalization_gap(lengths)
        """
    )
    of = digits()
    tanh = [
        error(by_hand(of, seed=seed, model=mlp(4, activation="tanh")), of, activation=torch.tanh)
        for seed in (0, 1)
    ]
    found = {
        "tanh": results["a"].error.sel(act="tanh"),
        "adam": results["o"].error.sel(opt="adam(lr=0.05)"),
        "tuple": results["t"].error.sel(lr_batch="0.8, 30"),
        "noisy": results["s"].error.sel(share=0.25, width=6),
        "moons": results["d"].error.sel(set="moons"),
        "linear": results["n"].error.sel(net="linear"),
        "short": results["l"].error.sel(length=1),
    }
    noisy, moons = data("with_label_noise", data=of, share=0.25), data("two_moons", train=60, test=40)
    expected = {
        "tanh": tanh,
        "adam": errors(of, optimizer=component("optimizer", "adam", lr=0.05)),
        "tuple": errors(of, optimizer=sgd(lr=0.8), batch=30),
        "noisy": errors(noisy, model=mlp(6)),
        "moons": errors(moons),
        "linear": errors(of, model=component("model", "linear")),
        "short": errors(of, budget=Length(1, "epochs")),
    }
    for name, values in expected.items():
        assert found[name].values.tolist() == pytest.approx(values), name
    assert results["t"].lr.values.tolist() == [0.1, 0.8] and results["t"].batch.values.tolist() == [20, 30]
    assert results["s"].error.dims == ("share", "width", "seed")


def test_sweeps_over_splits_of_one_or_several_datasets_and_over_runs(study: Study) -> None:
    results = study.run(
        BASE
        + """
        dataset fresh = sklearn_digits(train=60, test=40, seed=7)
        sweep on in [digits.train, digits.test, fresh.test]
        sweep split in [train, test]
        sweep width in [2, 3]
        train wide extends fit { model.hidden = [width] }
        sweep run in [fit, wide]
        analysis there = accuracy(fit, on=on)
        analysis here = accuracy(fit, on=split)
        analysis runs = accuracy(run)
        """
    )
    fitted, of, fresh = by_hand(digits(), seed=1), digits(), digits(seed=7)
    expected = [error(fitted, of, "train"), error(fitted, of), error(fitted, fresh)]
    assert results["there"].error.sel(seed=1).values.tolist() == pytest.approx(expected)
    assert results["here"].error.sel(seed=1).values.tolist() == pytest.approx(expected[:2])
    plain = results["runs"].error.sel(run="fit")
    assert plain.sel(width=2).values.tolist() == plain.sel(width=3).values.tolist() == errors(of)
    assert results["runs"].error.sel(run="wide", width=3).values.tolist() == errors(of, model=mlp(3))


COMMON = """
param size = 60
sweep width in [3, 5]
dataset digits = sklearn_digits(train=size, test=40)
train fit {
    model = mlp(hidden=[width])
    dataset = digits
    optimizer = sgd(lr=0.5)
    batch = 20
    budget = 3 epochs
}
"""

LAYERS = """
import "common.gen" as c
seeds 0..1
param hidden: int = 4 in [4, 6]
param rate: number = 0.5 in 0.01..10
let twice = 2 * hidden
train fit extends c.fit { model.hidden = [twice] dataset = with_label_noise(c.digits, share=20%) }
train next extends fit {
    optimizer = adam(lr=1e-3, schedule=cosine)
    optimizer.lr = rate / 10
    optimizer.schedule.floor = 10%
    dataset.share = 10%
    dataset.data.train = 50
    loss = cross_entropy(label_smoothing=10%)
}
train last extends next {
    optimizer.schedule = warmup(length=1 epoch, then=linear)
    optimizer.schedule.then.floor = 50%
}
analysis borrowed = generalization_gap(c.fit)
analysis n = generalization_gap(next)
analysis l = generalization_gap(last)
preset bigger { hidden = 6 }
preset all extends bigger { next.batch = 25 seeds = 1..2 c.width = [2] c.digits.test = 30 }
"""


def test_extends_imports_params_and_presets(study: Study) -> None:
    from gendsl.check import Options

    (study.folder / "common.gen").write_text(COMMON)
    smooth = component("loss", "cross_entropy", label_smoothing=0.1)

    def expected(name: str, *, seed: int, hidden: int, rate: float, batch: int, test: int) -> float:
        of = data("with_label_noise", data=digits(train=50, test=test), share=0.1)
        later = component("schedule", "linear", floor=0.5)
        schedule = {
            "n": component("schedule", "cosine", floor=0.1),
            "l": component("schedule", "warmup", length=Length(1, "epochs"), then=later),
        }[name]
        optimizer = component("optimizer", "adam", lr=rate / 10, schedule=schedule)
        fields = {"model": mlp(hidden), "optimizer": optimizer, "batch": batch, "loss": smooth}
        return error(by_hand(of, seed=seed, **fields), of)

    plain = study.run(LAYERS)
    assert dict(plain["borrowed"].sizes) == {"c.width": 2, "seed": 2}
    assert plain["borrowed"].error.sel({"c.width": 5}).values.tolist() == errors(digits(), model=mlp(5))
    changed = study.run(LAYERS, check=Options(preset="all", overrides=(("rate", "0.2"),)))
    assert changed["n"].seed.values.tolist() == [1, 2]
    assert changed["borrowed"]["c.width"].values.tolist() == [2]
    for name in ("n", "l"):
        assert float(plain[name].error.sel(seed=1)) == pytest.approx(
            expected(name, seed=1, hidden=8, rate=0.5, batch=20, test=40)
        )
        assert float(changed[name].error.sel(seed=1)) == pytest.approx(
            expected(name, seed=1, hidden=12, rate=0.2, batch=25, test=30)
        )


def test_results_feed_other_declarations(study: Study) -> None:
    results = study.run(
        BASE
        + """
        analysis scores = el2n(fit)
        train hard extends fit { dataset = keep(digits, by=scores.el2n, share=50%) }
        train warm extends fit { init = fit budget = 4 steps }
        train middle extends fit { init = fit.at(epoch=1) }
        analysis h = generalization_gap(hard)
        analysis w = history(warm)
        analysis g = generalization_gap(warm)
        analysis m = generalization_gap(middle)
        analysis start = accuracy(warm.at(epoch=0))
        """
    )
    of = digits()
    for seed in (0, 1):
        early = by_hand(of, seed=seed, checkpoints=[1])
        train = of.split("train")
        wrong = outputs(early.state, train.inputs).double().softmax(1) - functional.one_hot(train.targets, 10)
        kept = data("keep", data=of, by=wrong.norm(dim=1), share=0.5)
        found = {name: float(results[name].error.sel(seed=seed)) for name in ("h", "g", "m", "start")}
        assert found["h"] == pytest.approx(error(by_hand(kept, seed=seed), of))
        warm = by_hand(of, seed=seed, init=early.state, budget=Length(4, "steps"))
        assert found["g"] == pytest.approx(error(warm, of))
        assert found["start"] == pytest.approx(error(early, of))
        middle = by_hand(of, seed=seed, init=early.checkpoints[1])
        assert found["m"] == pytest.approx(error(middle, of))
    assert results["w"].steps.values.tolist() == [4, 4] and results["w"].epoch.values.tolist() == [1, 2]


def test_common_random_numbers_across_arms_and_datasets_that_follow_the_seeds(study: Study) -> None:
    results = study.run(
        BASE
        + """
        dataset drawn = sklearn_digits(train=60, test=40, seed=seed)
        train other extends fit { optimizer = adam(lr=0.1) batch = 30 }
        train moving extends fit { dataset = drawn }
        sweep run in [fit, other]
        analysis start = accuracy(run.at(epoch=0))
        analysis m = generalization_gap(moving)
        """
    )
    start = results["start"].error
    assert start.sel(run="fit").values.tolist() == start.sel(run="other").values.tolist()
    expected = [error(by_hand(digits(seed=s), seed=s), digits(seed=s)) for s in (0, 1)]
    assert results["m"].error.values.tolist() == pytest.approx(expected)


EPOCHS = (
    BASE.replace("0..1", "0..4")
    + """
sweep lr in [0.1, 0.5]
train swept extends fit { optimizer.lr = lr }
train longer extends swept { budget = 5 epochs }
analysis curve = history(swept)
analysis long = history(longer)
analysis during = accuracy(swept.at(epoch=[0, 1, 3]))
analysis gap = generalization_gap(swept)
claim second: mean(curve.train_error where epoch == 2 and lr == 0.5) > 0
claim late: mean(long.train_loss where epoch > 3) < mean(curve.train_loss where epoch in [1, 2])
claim chosen: mean(curve.train_loss where epoch in 2..3 and not (lr == 0.1)) > 0
claim both: mean(curve.train_error - during.error where epoch == 1) != 9
claim steep: slope(mean(during.accuracy, over=[seed, lr]), along=epoch) > 0
claim paired: mean(2 * gap.error where lr == 0.5) - mean(gap.error where lr == 0.1) / 2 < 9
claim some: mean(gap.error, over=seed) < 90% for some lr
plot learning = line(x=curve.epoch, y=curve.train_error, color=lr)
plot states = line(x=during.epoch, y=during, color=lr)
"""
)


def test_epochs_of_histories_and_of_states_keep_apart(study: Study) -> None:
    results = study.run(EPOCHS)
    curve, long, during, gap = (results[name] for name in ("curve", "long", "during", "gap"))
    found = verdicts(results)
    at = {"epoch": 1}
    accuracy = during.accuracy.mean(["seed", "lr"]).values
    expected = {
        "second": curve.train_error.sel(epoch=2, lr=0.5).mean(),
        "late": long.train_loss.sel(epoch=[4, 5]).mean() - curve.train_loss.sel(epoch=[1, 2]).mean(),
        "chosen": curve.train_loss.sel(epoch=[2, 3], lr=0.5).mean(),
        "both": (curve.train_error.sel(at) - during.error.sel(at)).mean() - 9,
        "steep": np.polyfit([0, 1, 3], accuracy, 1)[0],
        "paired": 2 * gap.error.sel(lr=0.5).mean() - gap.error.sel(lr=0.1).mean() / 2 - 9,
    }
    for name, value in expected.items():
        assert found[name] == pytest.approx(float(value)), name
    fitted = by_hand(digits(), seed=3, checkpoints=[1])
    assert float(during.error.sel(epoch=1, lr=0.5, seed=3)) == error(fitted.checkpoints[1], digits())
    assert curve.train_loss.sel(lr=0.5, seed=3).values.tolist() == fitted.history["train_loss"].tolist()
    drawn = {plot.name: rows(figure(plot, results)) for plot in results.spec.plots}
    assert {row["x"] for row in drawn["learning"]} == {1, 2, 3}
    assert {row["x"] for row in drawn["states"]} == {0, 1, 3}


def rows(chart) -> list[dict]:
    """The longest table of a chart, with what stands on the x axis under `x`."""
    tables = chart.to_dict()["datasets"].values()
    return max(tables, key=len)


def test_regression_losses_budgets_and_stops(study: Study, tmp_path: Path) -> None:
    stream = np.random.default_rng(0)
    inputs = stream.standard_normal((50, 3))
    np.savez(tmp_path / "table.npz", x=inputs, y=inputs @ [1.0, -2.0, 0.5])
    results = study.run(
        BASE
        + """
        sweep momentum in [0, 0.9]
        sweep decay in [0, 0.01]
        sweep smoothing in [0%, 20%]
        dataset known = gaussian_teacher(train=60, test=100, dimension=5)
        dataset table = npz("table.npz", task=regression, seed=1)
        train line extends fit { model = linear dataset = known batch = none budget = 7 steps }
        train swept extends line { optimizer = sgd(lr=0.05, momentum=momentum, weight_decay=decay) }
        train own extends line { dataset = table optimizer = gd(lr=0.1) }
        train hinged extends fit { loss = hinge budget = 4 steps }
        train smooth extends fit { loss = cross_entropy(label_smoothing=smoothing) }
        train stopper extends fit { budget = 40 epochs stop = train_error <= 30% }
        analysis s = loss(swept, on=train)
        analysis o = loss(own)
        analysis h = generalization_gap(hinged)
        analysis m = generalization_gap(smooth)
        analysis e = history(stopper)
        analysis a = accuracy(stopper, on=train)
        analysis top = hessian_top(swept, count=1)
        """
    )
    known = data("gaussian_teacher", train=60, test=100, dimension=5)
    train = known.split("train")
    fields = {"model": component("model", "linear"), "batch": None, "budget": Length(7, "steps")}
    fitted = by_hand(known, seed=0, **fields, optimizer=sgd(lr=0.05, momentum=0.9, weight_decay=0.01))
    expected = (outputs(fitted.state, train.inputs) - train.targets).square().mean()
    assert float(results["s"].loss.sel(momentum=0.9, decay=0.01, seed=0)) == pytest.approx(
        float(expected), rel=1e-6
    )
    table = data("npz", path=tmp_path / "table.npz", task="regression", seed=1)
    fitted = by_hand(table, seed=1, **fields, optimizer=component("optimizer", "gd", lr=0.1))
    test = table.split("test")
    expected = (outputs(fitted.state, test.inputs) - test.targets).square().mean()
    assert float(results["o"].loss.sel(seed=1)) == pytest.approx(float(expected), rel=1e-6)
    rows_ = torch.cat([train.inputs, torch.ones(60, 1)], 1).double()
    largest = torch.linalg.eigvalsh(2 * rows_.T @ rows_ / 60)[-1]
    without = torch.linalg.eigvalsh(2 * (rows_[:, :5].T @ rows_[:, :5]) / 60)[-1]
    bias = any(name.endswith("bias") for name in fitted.state.parameters)
    assert results["top"].eigenvalue.values == pytest.approx(float(largest if bias else without), rel=1e-4)
    hinge = component("loss", "hinge")
    assert results["h"].error.values.tolist() == errors(digits(), loss=hinge, budget=Length(4, "steps"))
    smooth = component("loss", "cross_entropy", label_smoothing=0.2)
    assert results["m"].error.sel(smoothing=0.2).values.tolist() == errors(digits(), loss=smooth)
    assert (results["e"].stopped == 1).all() and (results["a"].error <= 0.3).all()
    assert (results["e"].epochs < 40).all()


def test_what_yields_equal_bytes_recomputes_nothing_below(study: Study) -> None:
    text = (
        BASE + "dataset same = keep(digits, share=100%, seed=0)\ntrain kept extends fit { dataset = same }\n"
    )
    text += "analysis k = generalization_gap(kept)\n"
    first = study.run(text)
    # `kept` is `fit` on the same bytes: one training a seed.
    assert sorted(study.computed) == ["analysis"] * 2 + ["dataset"] * 3 + ["train"] * 2
    second = study.run(text.replace("seed=0", "seed=5"))
    assert study.computed == ["dataset"]
    assert second["k"].identical(first["k"])
    study.run(text.replace("same", "another").replace("kept", "renamed").replace("k =", "z ="))
    assert study.computed == []
    study.run(text.replace("0..1", "0..3"))
    assert sorted(study.computed) == ["analysis"] * 2 + ["train"] * 2


def test_python_runs_and_loads_the_same_results(tmp_path: Path) -> None:
    (tmp_path / "face.gen").write_text(
        BASE + "param rate = 0.5\nsweep (lr, batch) in [(rate, 20), (1, 30)]\n"
        "train swept extends fit { optimizer.lr = lr batch = batch }\nanalysis gap = generalization_gap(swept)\n"
        "plot one = bar(x=lr_batch, y=gap.error)\n"
    )
    store = tmp_path / "store"
    made = gendsl.run(tmp_path / "face.gen", set={"rate": 0.2}, seeds="1..2", store=store)
    loaded = gendsl.load("face", store=store)
    assert loaded["gap"].identical(made["gap"])
    assert loaded["gap"].identical(load(store / "runs" / "face-001")["gap"])
    assert dict(made["gap"].sizes) == {"lr_batch": 2, "seed": 2}
    assert made["gap"].lr.values.tolist() == [0.2, 1.0] and made["gap"].attrs["component"]
    assert float(made["gap"].error.sel(lr_batch="0.2, 20", seed=1)) == error(
        by_hand(digits(), seed=1, optimizer=sgd(lr=0.2)), digits()
    )


def test_a_start_of_other_sizes_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "sizes.gen").write_text(
        BASE + "train other extends fit { init = fit model.hidden = [5] }\nanalysis gap = accuracy(other)\n"
    )
    failures = gendsl.run(tmp_path / "sizes.gen", store=tmp_path / "store").failures
    assert any("weights of other sizes" in failure.reason for failure in failures)
