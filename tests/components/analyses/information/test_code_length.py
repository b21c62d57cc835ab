"""Two-part codes against sums by hand and networks that need few values."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.special import log_softmax

from gendsl_runtime.analyses.information.code_length import code_length
from gendsl_runtime.measures.coding import clusters, message_bits, quantised
from gendsl_runtime.measures.vectors import flat, shaped


def test_both_parts_by_hand(make_runs):
    runs = make_runs(train=530)
    given = code_length(runs, levels=(3, 9))
    inputs, labels = runs.split("train")
    for place, levels in enumerate((3, 9)):
        exact = flat(runs.state.parameters)[1].double().numpy()
        code = quantised(exact, clusters(exact, levels))
        assert given["weights"][1, place] == message_bits(code) * np.log(2)
        rounded = shaped(torch.from_numpy(code.values)[None], runs.state.parameters)
        outputs = runs.select([1]).outputs(inputs[[1]], rounded)[0].double().numpy()
        logs = log_softmax(outputs, axis=0)[labels[1].numpy(), np.arange(530)]
        assert given["labels"][1, place] == pytest.approx(-logs.sum(), rel=1e-12)
        assert given["error"][1, place] == (outputs.argmax(0) != labels[1].numpy()).mean()
    expected = (given["weights"] + given["labels"]).min(1) + np.log(2)
    np.testing.assert_allclose(given["total"], expected, rtol=1e-15)
    assert given["uniform"][0] == pytest.approx(530 * np.log(3))


def test_weights_of_two_values_lose_nothing(make_runs):
    runs = make_runs(hidden=[20])
    for value in runs.state.parameters.values():
        value.copy_(value.sign() * 0.5)
    given = code_length(runs, levels=(2, 4))
    assert (given["distortion"][:, 0] == 0).all()
    numbers = flat(runs.state.parameters).shape[1]
    # One bit for each, and what the two counts and two values take.
    assert (given["weights"][:, 0] / np.log(2) <= numbers + 1 + 2 * np.ceil(np.log2(numbers + 1)) + 32).all()


def test_more_values_are_nearer_and_longer(make_runs):
    given = code_length(make_runs(hidden=[40]), levels=(2, 8, 32))
    assert (np.diff(given["distortion"], axis=1) < 0).all()
    assert (np.diff(given["weights"], axis=1) > 0).all()


def test_the_order_of_units_does_not_matter(make_runs):
    runs = make_runs()
    before = code_length(runs)["total"]
    for name, side in (("hidden.0.weight", 1), ("hidden.0.bias", 1), ("output.weight", 2)):
        runs.state.parameters[name].copy_(runs.state.parameters[name].flip(side))
    np.testing.assert_allclose(code_length(runs)["total"], before, rtol=1e-6)


def test_running_statistics_are_counted(make_runs):
    plain, normed = (make_runs(norm=norm, bias=False) for norm in ("layer", "batch"))
    gap = code_length(normed)["weights"] - code_length(plain)["weights"]
    np.testing.assert_allclose(gap, 10 * 32 * np.log(2), rtol=1e-12)


def test_values_beyond_float16_are_its_ends():
    """An infinite value in the codebook would make every output NaN."""
    code = quantised(np.array([-1e6, 0.0, 7e4]), np.array([-1e6, 0.0, 7e4]))
    np.testing.assert_array_equal(code.values, [-65504, 0, 65504])
