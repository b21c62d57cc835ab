"""Words by hand and by the definition; complexity of functions."""

from __future__ import annotations

import numpy as np
import pytest

from gendsl_runtime.analyses.information.lempel_ziv import lempel_ziv
from gendsl_runtime.measures.words import lempel_ziv as bits
from gendsl_runtime.measures.words import words


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("0001101001000101", 6),  # Lempel and Ziv 1976: 0.001.10.100.1000.101
        ("0000000000", 2),
        ("0101010101", 3),
        ("0", 1),
        ("01", 2),
        ("1001111011000010", 6),  # Kaspar and Schuster 1987: 1.0.01.1110.1100.0010
    ],
)
def test_words_by_hand(text, count):
    assert words([int(letter) for letter in text]) == count


def by_definition(string):
    count, start = 0, 0
    while start < len(string):
        end = start + 1
        while end <= len(string):
            piece, before = string[start:end], string[: end - 1]
            if not any(before[i : i + len(piece)] == piece for i in range(len(before) - len(piece) + 1)):
                break
            end += 1
        start, count = end, count + 1
    return count


@pytest.mark.parametrize("letters", [2, 3, 10])
def test_words_by_the_definition(letters):
    chance = np.random.default_rng(letters)
    for length in (2, 5, 17, 60):
        for _ in range(10):
            string = chance.integers(0, letters, length).tolist()
            assert words(string) == by_definition(string)


def test_bits_of_constant_and_random_strings():
    assert bits([1] * 64) == 6
    length = 20_000
    string = (np.random.default_rng(0).random(length) < 0.11).astype(int).tolist()
    # Entropy rate 0.5 bits; the relative error shrinks as log log n / log n only, 0.27 here.
    assert abs(bits(string) / length / 0.5 - 1) < 0.27
    assert bits(string) == bits(string[::-1])


def test_functions(make_runs):
    runs = make_runs(train=40, test=100)
    given = lempel_ziv(runs, on="test")
    for member in range(3):
        answers = runs.outputs(runs.split("test")[0])[member].argmax(0).numpy()
        back = by_definition(answers[::-1].tolist())
        both = by_definition(answers.tolist()) + back
        assert given["words"][member] == both - back
        np.testing.assert_allclose(given["complexity"][member], np.log(100) * both / 2, rtol=1e-14)
        shares = np.bincount(answers) / 100
        expected = -100 * sum(p * np.log(p) for p in shares if p)
        np.testing.assert_allclose(given["entropy"][member], expected, rtol=1e-12, atol=1e-12)
    # Renaming the classes changes nothing.
    for name in ("output.weight", "output.bias"):
        runs.state.parameters[name].copy_(runs.state.parameters[name].flip(1))
    np.testing.assert_array_equal(lempel_ziv(runs, on="test")["complexity"], given["complexity"])


def test_a_constant_function(make_runs):
    runs = make_runs(test=32)
    runs.state.parameters["output.weight"].zero_()
    given = lempel_ziv(runs)
    np.testing.assert_allclose(given["complexity"], 5 * np.log(2), rtol=1e-15)
    assert (given["entropy"] == 0).all()
