"""Tables of modular arithmetic."""

from __future__ import annotations

import pytest
import torch

from gendsl_runtime.datasets.modular_arithmetic import modular_arithmetic
from gendsl_runtime.problem import Problem

RULES = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a * pow(b, -1, 13),
    "squares": lambda a, b: a * a + b * b,
    "quadratic": lambda a, b: a * a + a * b + b * b,
    "cubic": lambda a, b: a * a * a + a * b,
}


@pytest.mark.parametrize("operation", sorted(RULES))
def test_answers_are_right_and_every_pair_is_there_once(operation) -> None:
    data = modular_arithmetic(modulus=13, operation=operation, train=0.3).checked("modular_arithmetic")
    pairs = set()
    for split in data.splits.values():
        for (a, b, equals), answer in zip(split.inputs.tolist(), split.targets.tolist(), strict=True):
            assert equals == 13
            assert answer == RULES[operation](a, b) % 13
            pairs.add((a, b))
    rows = 13 * (12 if operation == "divide" else 13)
    assert len(pairs) == rows == sum(len(split) for split in data.splits.values())
    assert len(data.splits["train"]) == round(0.3 * rows)
    assert (data.vocabulary, data.outputs, data.shape) == (14, 13, (3,))


def test_a_larger_training_set_holds_the_smaller_one() -> None:
    small, large = (modular_arithmetic(modulus=7, train=share).splits["train"] for share in (0.2, 0.6))
    assert torch.equal(large.inputs[: len(small)], small.inputs)


def test_all_pairs_leave_no_test_set() -> None:
    assert set(modular_arithmetic(modulus=5, train=1.0).splits) == {"train"}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"modulus": 9, "operation": "divide"}, "cannot divide modulo 9, which is not prime"),
        ({"modulus": 1, "operation": "divide"}, "cannot divide modulo 1"),
        ({"modulus": 3, "train": 0.01}, "nothing to train on"),
        ({"modulus": 2000}, "a table of 2000 x 2000"),
    ],
)
def test_what_cannot_be_is_a_problem(given, message) -> None:
    with pytest.raises(Problem, match=message):
        modular_arithmetic(**given)
