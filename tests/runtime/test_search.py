"""Training without gradients: what is kept, what it depends on, and what becomes of a search that finds nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.length import Length
from gendsl_runtime.problem import Problem
from gendsl_runtime.random import generator
from gendsl_runtime.run import RunOptions, Watch, run
from gendsl_runtime.train import build
from gendsl_runtime.train import search as searching
from gendsl_runtime.train.fitted import Diverged, Fitted
from gendsl_runtime.train.loop import fit
from gendsl_runtime.train.search import BLOCK, spans
from tests.runtime.members import blobs, component, member, same
from tests.runtime.test_resume import assert_same, killed

DATA = blobs(shape=(4,), examples=7, classes=2)
FITS = ("train_error", "==", 0.0)
SMALL = ("train_loss", "<", 0.4)


def guessing(data: Dataset = DATA, *, epochs: int = 200, **fields):
    """A member that guesses."""
    own = {name: fields.pop(name) for name in ("low", "high", "population") if name in fields}
    fields = {"stop": (FITS, SMALL), **fields}
    optimizer = component("optimizer", "guess", **own)
    return member(data, optimizer=optimizer, batch=None, budget=Length(epochs, "epochs"), **fields)


def plainly(one, width: int, low: float = -1.0, high: float = 1.0):
    """Number and parameters of the first guess that fits, by one network after another in plain torch."""
    split = one.data.split("fit")
    for block in range(1000):
        values = generator("guess", one.seed, block).random((BLOCK, width), dtype=np.float32)
        for place, row in enumerate(torch.from_numpy(values) * (high - low) + low):
            first, bias, last, offset = torch.split(row, [32, 8, 16, 2])
            hidden = (split.inputs @ first.view(8, 4).T + bias).relu()
            outputs = hidden @ last.view(2, 8).T + offset
            fits = bool((outputs.argmax(1) == split.targets).all())
            if fits and float(cross_entropy(outputs, split.targets)) < 0.4:
                return block * BLOCK + place + 1, row
    raise AssertionError


@pytest.mark.parametrize("seed", [0, 1, 7])
def test_the_first_guess_that_meets_the_stop_is_kept(seed) -> None:
    one = guessing(seed=seed)
    (found,) = fit([one])
    number, row = plainly(one, 58)
    kept = torch.cat([value.flatten() for value in found.state.parameters.values()])
    torch.testing.assert_close(kept, row, rtol=0, atol=0)
    assert (found.status, found.history["guesses"].tolist()[-1]) == ("stopped", number)
    assert found.steps == -(-number // 2000)


def test_a_member_is_the_same_in_any_population_chunk_and_company(monkeypatch) -> None:
    members = [guessing(seed=seed) for seed in range(4)]
    members.append(guessing(blobs(shape=(4,), examples=7, classes=2, seed=5), seed=2))
    together = fit(members)
    assert len({int(one.history["guesses"][-1]) for one in together}) > 2
    for one, found in zip(members, together, strict=True):
        (alone,) = fit([one])
        assert same(alone, found)
    for most in (BLOCK, 7 * BLOCK):
        monkeypatch.setattr(searching, "MOST", most)
        assert all(same(*pair) for pair in zip(fit(members), together, strict=True))
    few = fit([guessing(seed=seed, population=100, epochs=4000) for seed in range(4)])
    for one, other in zip(few, together):
        assert all(
            torch.equal(one.state.parameters[name], value) for name, value in other.state.parameters.items()
        )
        assert one.history["guesses"][-1] == other.history["guesses"][-1]


def test_convolutions_are_guessed_to_the_bit_as_well(monkeypatch) -> None:
    data = blobs(shape=(1, 6, 6), examples=4, classes=2)
    net = component("model", "cnn", channels=[2], hidden=[4])
    members = [guessing(data, seed=seed, model=net, stop=FITS) for seed in range(3)]
    together = fit(members)
    monkeypatch.setattr(searching, "MOST", BLOCK)
    assert all(same(fit([one])[0], found) for one, found in zip(members, together, strict=True))


def test_a_search_that_finds_nothing_says_so() -> None:
    members = [guessing(seed=0, epochs=3, stop=("train_loss", "<", 1e-9)), guessing(seed=1)]
    nothing, found = fit(members)
    assert isinstance(nothing, Diverged) and isinstance(found, Fitted)
    assert (nothing.code, nothing.step) == ("nothing-found", 3)
    assert nothing.told == "none of 6,000 guesses meets its `stop`"


def test_without_a_stop_it_is_a_random_network() -> None:
    (found,) = fit([guessing(epochs=1, stop=None, low=2.0, high=5.0)])
    values = torch.cat([value.flatten() for value in found.state.parameters.values()])
    expected = generator("guess", 0, 0).random((BLOCK, 58), dtype=np.float32)[0] * 3 + 2
    np.testing.assert_allclose(values.numpy(), expected, rtol=1e-7)
    assert found.status == "budget"


def test_another_training_may_start_from_a_guess() -> None:
    (start,) = fit([guessing(epochs=1, stop=None)])
    (after,) = fit([member(DATA, init=start.state, budget=Length(0, "epochs"))])
    assert all(
        torch.equal(after.state.parameters[name], value) for name, value in start.state.parameters.items()
    )


def test_members_of_other_ranges_share_a_stack() -> None:
    members = [guessing(seed=3, high=high) for high in (0.5, 1.0, 2.0)]
    assert all(same(fit([one])[0], found) for one, found in zip(members, fit(members), strict=True))


@pytest.mark.parametrize("sides", [2, 4])
def test_as_likely_as_symmetry_says(sides) -> None:
    """A linear model without offsets puts the unit vector e_i on the side of the sign of a difference of two weights,
    symmetric and independent of the others: any labels of d of them are met with probability 2^-d."""
    split = Split(torch.eye(sides), torch.arange(sides) % 2)
    data = Dataset({"train": split, "test": split}, "classification", (sides,), 2)
    net = component("model", "linear", bias=False)
    runs = fit([guessing(data, seed=seed, model=net, stop=FITS) for seed in range(500)])
    numbers = np.array([float(one.history["guesses"][-1]) for one in runs])
    chance = 2.0**-sides
    assert abs(numbers.mean() - 1 / chance) < 4 * np.sqrt((1 - chance) / chance**2 / len(numbers))


SPEC = """
seeds 0..5
dataset few = two_moons(train=4, test=50, seed=seed)
sweep bound in [0.45, 0.000001]
train fit {
    model = mlp(hidden=[4])
    dataset = few
    optimizer = guess(population=100)
    budget = 30 epochs
    stop = train_error == 0% and train_loss < bound
}
analysis gap = generalization_gap(fit)
analysis found = guesses(fit)
claim fits: lowest(gap.train_accuracy where bound == 0.45) >= 100%
claim hopeless: mean(gap.train_accuracy where bound == 0.000001) >= 100%
"""


def test_what_found_nothing_is_named_and_enters_no_claim(tmp_path) -> None:
    path = tmp_path / "few.gen"
    path.write_text(SPEC)
    done = run(path, RunOptions(store=tmp_path / "store"), Watch())
    failures = {(one.step, one.coordinate["bound"], one.code) for one in done.results.failures}
    assert failures == {(name, 0.000001, "nothing-found") for name in ("fit", "found", "gap")}
    fits, hopeless = done.verdicts
    assert (fits.outcome, hopeless.outcome) == ("supported", "undecided")
    assert np.isnan(done.results["found"]["guesses"].sel(bound=0.000001)).all()


def test_pieces_of_a_population_grow() -> None:
    assert list(spans(1000, most=512)) == [(0, 64), (64, 256), (320, 512), (832, 168)]


def test_bounds_the_wrong_way_round_are_refused() -> None:
    with pytest.raises(Problem, match="not the smaller"):
        fit([guessing(low=1.0, high=-1.0)])


def test_it_stands_within_no_optimizer() -> None:
    sam = component("optimizer", "sam", base=component("optimizer", "guess"))
    with pytest.raises(Problem, match="takes gradients"):
        build.optimizer([replace(guessing(), optimizer=sam)], device="cpu", dtype=torch.float32)


def test_a_search_that_is_killed_goes_on_where_it_was(tmp_path) -> None:
    """Between populations, with members that have found something, that will, and that never do."""
    members = [guessing(seed=seed, population=20, epochs=60) for seed in range(4)]
    members.append(guessing(seed=9, population=20, epochs=30, stop=("train_loss", "<", 1e-9)))
    found = killed(tmp_path, members, 1, 3, 29)
    assert len({one.steps for one in found if isinstance(one, Fitted)}) > 1
    assert_same(members, found)
