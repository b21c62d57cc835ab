"""A `stop` of several conditions."""

from __future__ import annotations

from tests.language.checking import BASE, spec


def test_conditions_of_a_stop_are_joined():
    text = BASE.replace(
        "budget = 5 epochs",
        "budget = 5 epochs  stop = (train_error == 0% and train_loss < 1 / 2) and train_loss > 10%",
    )
    stop = spec(text).steps["clean"].arguments["stop"]
    assert stop.op == "and"
    assert [(part.operands[0].name, part.op, part.operands[1].value) for part in stop.operands] == [
        ("train_error", "==", 0.0),
        ("train_loss", "<", 0.5),
        ("train_loss", ">", 0.1),
    ]
