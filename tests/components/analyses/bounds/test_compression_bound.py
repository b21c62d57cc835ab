"""Compression bounds: the message read back by hand, what is paid for, and what is refused."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from gendsl_runtime.analyses.bounds.compression_bound import compression_bound
from gendsl_runtime.length import Length
from gendsl_runtime.measures import coding, pac_bayes
from gendsl_runtime.measures.quantising import codes, restored
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Runs
from gendsl_runtime.train import artifact
from gendsl_runtime.train.loop import fit
from tests.components.measures.arithmetic_coder import decoded, encoded
from tests.runtime.members import blobs, component, member

MakeRuns = Callable[..., Runs]


def subspace_runs(dimension: int = 12, seeds: tuple[int, ...] = (3, 4), **changes: object) -> Runs:
    """Two classes that can be learnt, in a subspace."""
    data = blobs(shape=(4,), examples=120, classes=2)
    labels = (data.splits["train"].inputs[:, 0] > 0).long()
    train = replace(data.splits["train"], targets=labels)
    data = data.with_splits(train=train, test=train)
    inner = component("model", "mlp", hidden=[8], activation="tanh")
    given = {
        "model": component("model", "subspace", net=inner, dimension=dimension),
        "optimizer": component("optimizer", "adam", lr=0.1),
        "batch": 20,
        "budget": Length(20, "epochs"),
        **changes,
    }
    members = [member(data, seed=seed, **given) for seed in seeds]
    return artifact.runs(members, [artifact.pack(one) for one in fit(members)])


def test_the_message_is_all_that_is_needed() -> None:
    """Without tuning: k-means of the coordinates, bits and bound by hand."""
    runs = subspace_runs()
    found = compression_bound(runs, levels=[3], epochs=0)
    for place in range(2):
        one = runs.select([place])
        w = one.state.parameters["coordinates"][0].double().numpy()
        code = coding.quantised(w, coding.clusters(w, 3))
        bits = coding.arithmetic_bits(code.places, 3) + 3 * math.ceil(math.log2(13)) + 48
        assert found["bits"][place] == bits
        read = torch.from_numpy(code.values)[None].float()
        error = float(one.error("train", {"coordinates": read})[0])
        assert found["error"][place] == error
        kl = bits * math.log(2) + 2 * math.log(bits)
        assert found["kl"][place] == pytest.approx(kl)
        level = (kl + math.log(2 * math.sqrt(120) / 0.05)) / 120
        assert found["bound"][place] == pytest.approx(float(pac_bayes.kl_inverse(error, level)))
    np.testing.assert_array_equal(found["coordinates"], 12)


def test_choices_are_paid_for() -> None:
    runs = subspace_runs()
    one = compression_bound(runs, levels=[3], epochs=0)
    tried = compression_bound(runs, levels=[3, 5], epochs=0, choices=10)
    np.testing.assert_allclose(tried["bits_at"][:, 0], one["bits"])
    assert (tried["bound_at"][:, 0] > one["bound"]).all()
    again = compression_bound(runs, levels=[3], epochs=0, length="prefix")
    np.testing.assert_allclose(one["kl"] - again["kl"], 2 * np.log(one["bits"]))
    dear = compression_bound(runs, levels=[3], epochs=0, choices=20)
    np.testing.assert_allclose(dear["kl"] - one["kl"], math.log(20))


def test_tuning_lowers_the_loss_of_the_quantised_network() -> None:
    runs = subspace_runs()
    reference = torch.zeros(2, 12, dtype=torch.float64)

    def loss(epochs: int) -> torch.Tensor:
        found = codes(runs, reference, levels=2, epochs=epochs, batch=20, rate=0.02)
        return runs.mean_loss("train", restored(runs, reference, np.stack([code.values for code in found])))

    assert (loss(20) < 0.95 * loss(0)).all()


def test_few_coordinates_and_true_labels_give_less_than_one() -> None:
    """On 120 examples the message alone costs too much; many copies of none are vacuous, and said to be."""
    found = compression_bound(subspace_runs(), levels=[3], epochs=5)
    assert (found["bound"] < 1).all()
    assert (found["bound"] >= found["error"]).all()
    np.testing.assert_array_equal(found["is_vacuous"], 0)
    large = compression_bound(subspace_runs(dimension=800), levels=[15], epochs=0)
    assert (large["mcallester"] > 1).all()


def test_a_member_does_not_depend_on_its_stack() -> None:
    runs = subspace_runs(seeds=(3, 4, 5))
    whole = compression_bound(runs, levels=[3, 5], epochs=2)
    alone = compression_bound(runs.select([1]), levels=[3, 5], epochs=2)
    for name in whole.keys() - {"level"}:
        np.testing.assert_array_equal(alone[name][0], whole[name][1], err_msg=name)


def test_a_start_that_was_trained_must_be_known_and_apart() -> None:
    inner = component("model", "mlp", hidden=[8], activation="tanh")
    source = subspace_runs(model=inner, seeds=(3,))
    runs = subspace_runs(init=source.state, seeds=(3,))
    with pytest.raises(Problem, match="no prior for `start"):
        compression_bound(runs)
    with pytest.raises(Problem, match="120 of 120 examples"):
        compression_bound(runs, other=source)
    elsewhere = replace(source, data=(blobs(shape=(4,), examples=120, classes=2, seed=1),))
    found = compression_bound(runs, other=elsewhere, levels=[3], epochs=0)
    assert found["bound"].shape == (1,)


def test_any_network_may_be_compressed(make_runs: MakeRuns) -> None:
    """Untrained weights are where they were drawn: one level, no more than the codebook."""
    found = compression_bound(make_runs(), levels=[1], epochs=0)
    np.testing.assert_array_equal(found["error"], found["trained_error"])
    np.testing.assert_array_equal(found["bits"], 1 + math.ceil(math.log2(39)) + 16)


def test_without_levels_there_is_no_message() -> None:
    with pytest.raises(Problem, match="no number of levels"):
        compression_bound(subspace_runs(), levels=[])


@pytest.mark.parametrize("confidence", [0.0, 1.0])
def test_certainty_is_refused(confidence: float) -> None:
    with pytest.raises(Problem, match="no bound holds with a confidence"):
        compression_bound(subspace_runs(), confidence=confidence)


def test_a_message_of_its_length_says_the_whole_network() -> None:
    """Written down bit by bit and read back by someone who knows d, L and the start alone: counts, codebook as float16,
    and the sequence by an arithmetic coder in whole numbers. The network read back has the error told."""
    runs = subspace_runs(seeds=(3,))
    found = compression_bound(runs, levels=[5], epochs=2)
    (code,) = codes(runs, torch.zeros(1, 12, dtype=torch.float64), levels=5, epochs=2, batch=128, rate=0.02)
    counts = np.bincount(code.places, minlength=5).tolist()
    width = math.ceil(math.log2(13))
    message = "".join(format(count, f"0{width}b") for count in counts)
    message += "".join(format(int(bits), "016b") for bits in code.codebook.view(np.uint16))
    message += encoded(code.places.tolist(), counts)
    assert len(message) == found["bits"][0]

    read = [int(message[place * width : (place + 1) * width], 2) for place in range(5)]
    rest = message[5 * width :]
    book = np.array([int(rest[16 * k : 16 * k + 16], 2) for k in range(5)], dtype=np.uint16).view(np.float16)
    values = book.astype(np.float64)[decoded(rest[80:], read)]
    coordinates = torch.from_numpy(values)[None].float()
    assert float(runs.error("train", {"coordinates": coordinates})[0]) == found["error"][0]
    assert float(runs.error("test", {"coordinates": coordinates})[0]) == found["test_error"][0]


def test_the_four_bounds_against_their_formulas() -> None:
    """From the error and KL told, in 40 digits: roots of the binary divergence by mpmath, Catoni's over the grid."""
    mpmath = pytest.importorskip("mpmath")
    found = compression_bound(subspace_runs(dimension=6), levels=[2, 3], epochs=1)
    n, delta = 120, mpmath.mpf(1) - mpmath.mpf("0.95")
    for place in range(2):
        q, kl = (mpmath.mpf(float(found[name][place])) for name in ("error", "kl"))
        bits = int(found["bits"][place])
        assert kl == pytest.approx(bits * math.log(2) + 2 * math.log(bits) + math.log(2), rel=1e-14)
        level = (kl + mpmath.log(2 * mpmath.sqrt(n) / delta)) / n
        p = mpmath.mpf(float(found["bound"][place]))
        divergence = (q * mpmath.log(q / p) if q else 0) + (1 - q) * mpmath.log((1 - q) / (1 - p))
        assert divergence == pytest.approx(level, rel=1e-9)
        exact = q + mpmath.sqrt((kl + mpmath.log(n / delta) + 2) / (2 * n - 1))
        assert found["mcallester"][place] == pytest.approx(float(exact), rel=1e-12)
        exact = (mpmath.sqrt(q + level / 2) + mpmath.sqrt(level / 2)) ** 2
        assert found["quadratic"][place] == pytest.approx(float(exact), rel=1e-12)
        ratio = (50 * mpmath.sqrt(n)) ** (mpmath.mpf(1) / 63)
        grid = [ratio**k / mpmath.sqrt(n) for k in range(64)]
        exact = min(
            (1 - mpmath.exp(-c * q - (kl + mpmath.log(64 / delta)) / n)) / (1 - mpmath.exp(-c)) for c in grid
        )
        assert found["catoni"][place] == pytest.approx(float(exact), rel=1e-9)
