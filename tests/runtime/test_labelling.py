"""Labellings: a class for each place of an example, from the loss to the stop condition."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy as of_torch

from gendsl_runtime.data import NO_LABEL, Dataset, Split
from gendsl_runtime.datasets.prefix_sums import prefix_sums
from gendsl_runtime.losses.cross_entropy import cross_entropy
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import mistakes
from gendsl_runtime.train.record import beaten


def stacks() -> tuple[torch.Tensor, torch.Tensor]:
    """Outputs `(members, classes, places, examples)` and labels `(members, examples, places)`, some not asked about."""
    chance = torch.Generator().manual_seed(0)
    outputs = torch.randn(2, 3, 5, 40, dtype=torch.float64, generator=chance)
    labels = torch.randint(-1, 3, (2, 40, 5), generator=chance)
    labels[0, 3] = NO_LABEL
    return outputs, labels


@pytest.mark.parametrize("smoothing", [None, 0.2])
def test_loss_is_the_mean_over_places_asked_about(smoothing) -> None:
    outputs, labels = stacks()
    share = None if smoothing is None else torch.full((2,), smoothing, dtype=torch.float64)
    found = cross_entropy(outputs, labels, label_smoothing=share)
    for member in range(2):
        for example in range(40):
            expected = of_torch(
                outputs[member, :, :, example].T,
                labels[member, example],
                ignore_index=NO_LABEL,
                label_smoothing=smoothing or 0.0,
            )
            is_asked = bool((labels[member, example] != NO_LABEL).any())
            assert float(found[member, example]) == pytest.approx(float(expected) if is_asked else 0.0)


def test_an_example_is_wrong_where_any_place_is() -> None:
    outputs, labels = stacks()
    expected = np.zeros((2, 40), dtype=bool)
    for member in range(2):
        for example in range(40):
            answers = outputs[member, :, :, example].argmax(0)
            asked = labels[member, example] != NO_LABEL
            expected[member, example] = bool((answers != labels[member, example])[asked].any())
    np.testing.assert_array_equal(mistakes(outputs, labels), expected)
    np.testing.assert_array_equal(beaten(outputs.clone(), labels), expected)
    assert not expected[0, 3]


def test_what_a_labelling_must_be() -> None:
    inputs = torch.zeros(4, 6, 1)
    good = Split(inputs, torch.zeros(4, 6, dtype=torch.int64))
    assert Dataset({"train": good}, "labelling", (6, 1), 2).checked("it").places == 6
    for targets, reason in (
        (torch.zeros(4, dtype=torch.int64), r"not int64 `\(examples, places\)`"),
        (torch.full((4, 6), 2), "label 2"),
        (torch.full((4, 6), -2), "label -2"),
    ):
        with pytest.raises(Problem, match=reason):
            Dataset({"train": Split(inputs, targets)}, "labelling", (6, 1), 2).checked("it")


def test_stored_and_back() -> None:
    data = prefix_sums(lengths=[3, 5], train=8, test=4)
    again = Dataset.unpack(data.pack())
    assert again.task == "labelling"
    torch.testing.assert_close(again.splits["test"].targets, data.splits["test"].targets)


def test_labels_and_answers_are_about_the_same_places() -> None:
    """Also where there are fewer labels than answers, which torch would gather from without a word."""
    outputs, labels = stacks()
    with pytest.raises(Problem, match="answers for 5 places, and the labels are about 4"):
        cross_entropy(outputs, labels[:, :, :4], label_smoothing=None)
    inputs = torch.zeros(4, 6, 1)
    splits = {
        "train": Split(inputs, torch.zeros(4, 6, dtype=torch.int64)),
        "test": Split(inputs, torch.zeros(4, 5, dtype=torch.int64)),
    }
    with pytest.raises(Problem, match="`test` with labels for 5 places; those trained on have 6"):
        Dataset(splits, "labelling", (6, 1), 2).checked("it")


def test_what_is_not_a_number_is_a_mistake() -> None:
    """Of a classification as well: torch's maximum of NaN names the first, which may be the label."""
    outputs, labels = stacks()
    outputs[:, 0, :, 7] = torch.nan
    labels[:, 7] = 0
    assert mistakes(outputs, labels)[:, 7].all()
    assert mistakes(outputs[:, :, 0], labels[:, :, 0].clamp_min(0))[:, 7].all()
    rest = np.delete(np.arange(40), 7)
    found = mistakes(outputs[..., rest], labels[:, rest])
    assert torch.equal(mistakes(outputs, labels)[:, rest], found) and not found.all()
