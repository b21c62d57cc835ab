"""Analyses of several runs from a spec to results: right runs, right order, right keys, whoever computes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gendsl_runtime.run import RunOptions, run

SPEC = """
seeds 0..2
dataset moons = two_moons(train=40, test=60)
sweep rate in [0.05, 0.2]

train fit {
    model = mlp(hidden=[6])
    dataset = moons
    optimizer = sgd(lr=rate)
    batch = 10
    budget = 4 epochs
}
train again extends fit { seed = seed + 1000 }

analysis own = generalization_gap(fit)
analysis seeds_apart = disagreement(fit, over=seed)
analysis rates_apart = disagreement(fit, over=rate)
analysis epochs_apart = disagreement(fit.at(epoch=[0, 1, 4]), over=epoch)
analysis together = ensemble(again, over=rate)
analysis apart = distance(fit, other=again)
analysis moved = distance(fit.at(epoch=4), other=fit.at(epoch=0))
analysis from_first = distance(fit, other=fit where seed == 0)
"""


def finished(folder: Path, text: str, **options):
    path = folder / "groups.gen"
    path.write_text(text)
    return run(path, RunOptions(store=folder / "store", **options))


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("groups")
    return folder, finished(folder, SPEC).results


def test_axes_of_what_is_left(done):
    _, results = done
    assert results["seeds_apart"]["rate_"].dims == ("rate",)
    assert results["rates_apart"]["pair"].dims == ("seed", "first", "second")
    assert list(results["rates_apart"]["first"].values) == [0.05, 0.2]
    assert list(results["epochs_apart"]["first"].values) == [0, 1, 4]
    assert results["epochs_apart"]["rate_"].dims == ("rate", "seed")
    assert results["apart"]["l2"].dims == ("rate", "seed")
    assert not results.failures


def test_members_are_those_of_the_axis(done):
    _, results = done
    error = results["own"]["error"]
    assert results["seeds_apart"]["error"].values == pytest.approx(error.mean("seed").values, abs=1e-12)
    assert results["rates_apart"]["error"].values == pytest.approx(error.mean("rate").values, abs=1e-12)


def test_the_other_run_is_the_one_at_the_same_place(done):
    _, results = done
    assert (results["from_first"]["l2"].sel(seed=0) == 0).all()
    assert (results["from_first"]["l2"].sel(seed=[1, 2]) > 0.1).all()
    assert (results["moved"]["l2"] > 0).all() and (results["apart"]["l2"] > results["moved"]["l2"]).all()


@pytest.mark.parametrize("options", [{"workers": 2}, {"fuse": False}], ids=["workers", "alone"])
def test_whoever_computes_gives_the_same_bits(done, tmp_path, options):
    _, results = done
    other = finished(tmp_path, SPEC, **options).results
    for name, data in results.items():
        for quantity in data:
            assert np.array_equal(data[quantity], other[name][quantity], equal_nan=True), (name, quantity)


def test_only_groups_with_a_new_run_are_computed_again(done):
    folder, _ = done
    now = finished(folder, SPEC.replace("[0.05, 0.2]", "[0.05, 0.2, 0.1]")).results
    computed = {step.name: step.computed for step in now.record.steps}
    assert computed["seeds_apart"] == 1 and computed["rates_apart"] == 3
    assert computed["epochs_apart"] == 3 and computed["apart"] == 3 and computed["fit"] == 3


def test_equal_runs_are_known_by_their_contents(done):
    """A run that was written in another way and comes out the same makes no group anew."""
    folder, _ = done
    finished(folder, SPEC)
    same = SPEC.replace("batch = 10", "batch = 10\n    stop = train_loss < 0")
    computed = {step.name: step.computed for step in finished(folder, same).results.record.steps}
    assert computed["fit"] == 6
    analyses = ("seeds_apart", "rates_apart", "epochs_apart", "together", "apart", "moved", "from_first")
    assert {computed[name] for name in analyses} <= {0, 2, 3, 6}


def test_splits_of_several_datasets_are_kept_apart(tmp_path):
    text = (
        SPEC[: SPEC.index("analysis own")]
        + """
dataset near = two_moons(train=10, test=300, noise=0.05, seed=5)
dataset far = two_moons(train=10, test=300, noise=0.9, seed=6)
analysis both = generalization_gap(fit, on=far.test, against=near.test)
analysis easy = accuracy(fit, on=near.test)
analysis hard = accuracy(fit, on=far.test)
analysis hard_together = ensemble(fit, over=seed, on=far.test)
analysis all = accuracy(fit, on=near.fit)
"""
    )
    found = finished(tmp_path, text).results
    assert not found.failures
    assert (found["both"]["test_accuracy"] == found["hard"]["accuracy"]).all()
    assert (found["both"]["train_accuracy"] == found["easy"]["accuracy"]).all()
    mean = 1 - found["hard"]["accuracy"].mean("seed")
    assert found["hard_together"]["mean_error"].values == pytest.approx(mean.values)


def test_runs_that_differ_are_refused(tmp_path):
    text = (
        SPEC[: SPEC.index("analysis own")]
        + """
train wide extends fit { model = mlp(hidden=[7]) }
sweep run in [fit, wide]
analysis mixed = disagreement(run, over=run)
analysis away = distance(fit, other=wide)
"""
    )
    found = finished(tmp_path, text).results
    assert {(failure.step, failure.code) for failure in found.failures} == {
        ("mixed", "different-networks"),
        ("away", "different-networks"),
    }


OWN = '''
"""Measures of the user's."""

import numpy as np

from gendsl_runtime.component import AxisName, analysis
from gendsl_runtime.runs import Groups, Runs


@analysis(gives={"spread": "1"})
def spread(groups: Groups, *, over: AxisName):
    """How far weights lie apart."""
    weights = [runs.state.parameters for runs in groups.runs]
    return {"spread": np.array([float(next(iter(one.values())).std(0).mean()) for one in weights])}


@analysis(gives={"change": "1"})
def change(runs: Runs, *, other: Runs):
    """How far weights moved."""
    name = next(iter(runs.state.parameters))
    return {"change": (runs.state.parameters[name] - other.state.parameters[name]).abs().flatten(1).amax(1)}
'''


def test_python_of_the_user_may_do_the_same(tmp_path):
    (tmp_path / "own.py").write_text(OWN)
    text = 'import "own.py" as own\n' + SPEC[: SPEC.index("analysis own")]
    text += "analysis s = own.spread(fit, over=seed)\nanalysis c = own.change(fit, other=again)\n"
    found = finished(tmp_path, text, allow_python=True).results
    assert not found.failures
    assert found["s"]["spread"].shape == (2,) and (found["s"]["spread"] > 0).all()
    assert found["c"]["change"].shape == (2, 3) and (found["c"]["change"] > 0).all()
