"""What the language knows of tokens before anything runs."""

from __future__ import annotations

import numpy as np
import pytest

from gendsl.check import Options, check
from gendsl.parse import parse
from gendsl.source import Source
from gendsl_runtime import components

SPEC = """
seeds 0..4
dataset data = {data}
train fit {{
    model = {model}
    dataset = data
    optimizer = adamw(lr=0.01)
    budget = 5 epochs
}}
analysis score = {analysis}
"""


@pytest.fixture
def found(tmp_path):
    """The codes and messages of a spec."""
    np.savez(tmp_path / "text.npz", x=np.zeros((10, 2), dtype=np.int64), y=np.arange(10) % 2)

    def find(data: str, model: str, analysis: str = "accuracy(fit)") -> list[str]:
        path = tmp_path / "spec.gen"
        source = Source(SPEC.format(data=data, model=model, analysis=analysis), str(path))
        file, faults = parse(source)
        assert not faults
        checked = check(source, file, components.catalogue(), Options())
        return [f"{d.code}: {d.message}" for d in checked.diagnostics if d.severity == "error"]

    return find


@pytest.mark.parametrize("model", ["transformer()", "rnn(cell=gru)"])
@pytest.mark.parametrize(
    "data",
    [
        "modular_arithmetic()",
        "with_label_noise(parity(), share=10%)",
        "keep(shuffled_pixels(parity()), share=50%)",
        "adding_problem()",
        "sklearn_digits()",
        'npz("text.npz")',  # its shape is not known before the run
        'npz("text.npz", vocabulary=4)',
    ],
)
def test_sequences_are_read(found, data, model) -> None:
    is_sum = data.startswith("adding")
    assert found(data, model, "loss(fit)" if is_sum else "accuracy(fit)") == []


@pytest.mark.parametrize("model", ["mlp()", "linear()", "cnn()", "random_features()"])
@pytest.mark.parametrize("data", ["modular_arithmetic()", 'npz("text.npz", vocabulary=4)'])
def test_tokens_are_no_numbers(found, data, model) -> None:
    name = model.removesuffix("()")
    assert found(data, model) == [f"wrong-shape: `{name}` takes numbers, and this data has tokens"]


def test_a_vector_is_no_sequence(found) -> None:
    message = "wrong-shape: `rnn` takes sequences, and this data has examples of 30 numbers"
    assert found("breast_cancer()", "rnn()") == [message]


def test_two_tokens_are_no_plane(found) -> None:
    wrong = found("parity(length=2, train=2, test=2)", "rnn()", "decision_boundary(fit)")
    assert wrong == ["wrong-shape: `decision_boundary` needs numbers, and this data has tokens"]


def test_tokens_have_no_mean(found) -> None:
    wrong = found("standardised(with_label_noise(parity(), share=10%))", "rnn()")
    assert wrong == ["wrong-shape: `standardised` needs numbers, and this data has tokens"]
